"""What each kind of sensitive thing looks like in the wild, and what only looks like it."""

import pytest

from services.ledger.redaction import NAMES, redactor

ALL = redactor(NAMES, {})

PHONES = [
    "+49 170 1234567",
    "+49 (0) 170 / 123 45 67",
    "+49\u00a0170\u202f1234567",
    "+1 (555) 123-4567",
    "+442079460958",
    "+81-3-1234-5678",
    "+91 98765 43210",
    "0049 30 123456",
    "(030) 123 4567",
    "(11) 91234-5678",
    "030/1234567",
    "030 / 123 45 67",
    "030\u20131234567",
    "0171 234 5678",
    "01701234567",
    "06 12 34 56 78",
    "01.23.45.67.89",
    "03-1234-5678",
    "06-12345678",
    "555-123-4567",
    "1-800-555-0199",
    "415 555 2671",
    "%2B491701234567",
    "\u0660\u0661\u0667\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
]
CARDS = [
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111111111111111",
    "4111\u00a01111\u00a01111\u00a01111",
    "4111\u20131111\u20131111\u20131111",
    "4111\u20111111\u20111111\u20111111",
    "\uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11",
    "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",
    "4111\u200b1111\u200b1111\u200b1111",
    "3782 822463 10005",
    "378282246310005",
    "5555555555554444",
    "2223 0031 2200 3222",
    "3056 930902 5904",
    "6011111111111117",
    "3530111333300000",
    "6212345678900000003",
    "9792 0300 0000 0000",
]
IBANS = [
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "de89370400440532013000",
    "DE89-3704-0044-0532-0130-00",
    "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000",
    "GB29 NWBK 6016 1331 9268 19",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NL91 ABNA 0417 1643 00",
    "ES91 2100 0418 4502 0005 1332",
    "IT60 X054 2811 1010 0000 0123 456",
    "CH93 0076 2011 6238 5295 7",
    "AT61 1904 3002 3457 3201",
    "BE68 5390 0754 7034",
    "NO93 8601 1117 947",
    "PL61 1090 1014 0000 0712 1981 2874",
    "SE45 5000 0000 0583 9825 7466",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "BR97 0036 0305 0000 1000 9795 493P 1",
]
EMAILS = [
    "a@b.org",
    "first.last+tag@sub.example.co.uk",
    "o'brien@example.org",
    "m\u00fcller@m\u00fcnchen.de",
    "user@xn--mnchen-3ya.xn--p1ai",
    "\u043f\u043e\u0447\u0442\u0430@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444",
    "\u7528\u6237@\u4f8b\u5b50.\u516c\u53f8",
    "\u0938\u0902\u092a\u0930\u094d\u0915@\u0909\u0926\u093e\u0939\u0930\u0923.\u092d\u093e\u0930\u0924",
    "a_b-c@ex-ample.museum",
    "a\uff20b.org",
    "user%40example.org",
    r"J\u00fcrgen.M\u00fcller@example.org",
]
IPS = [
    "192.0.2.7",
    "255.255.255.255",
    "2001:db8::1",
    "2001:0db8:0000:0000:0000:0000:0000:0001",
    "2001:DB8::A1",
    "fe80::1",
    "fe80::",
    "::1",
    "::ffff:192.0.2.1",
    "1:2:3:4:5:6:192.0.2.1",
    "64:ff9b::192.0.2.33",
    "\uff11\uff19\uff12.0.2.1",
]
HEX = "0123456789abcdef"
SECRETS = [
    "sk-proj-abcdefghijklmnopqrst",
    "sk-ant-api03-abcdefghijklmnopqrst-AA",
    "sk-or-v1-0123456789abcdef0123456789",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "rk_test_4eC39HqLyjWDarjtT1zdp7dc",
    f"sk_{2 * HEX}{HEX}",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl",
    "glpat-abcdefghijklmnopqrst",
    "xoxb-123456789012-abcdef",
    "xapp-1-A0123456789-0123456789",
    "hooks.slack.com/services/T00000000/B00000000/abcdefgh",
    "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "ya29.a0AfH6SMBx1234567890abcdef",
    "GOCSPX-abcdefghijklmnopqrstuv12",
    "hf_abcdefghijklmnopqrstuvwxyz",
    "gsk_abcdefghijklmnopqrstuvwxyz01",
    "xai-abcdefghijklmnopqrstuvwxyz01",
    "pplx-abcdefghijklmnopqrstuvwxyz01",
    "nvapi-abcdefghijklmnopqrstuvwxyz",
    "r8_abcdefghijklmnopqrstuvwxyz01",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "pypi-AgEIcHlwaS5vcmcCJDExMTEx",
    "dckr_pat_abcdefghijklmnopqrstuv",
    f"dop_v1_{4 * HEX}",
    f"shpat_{2 * HEX}",
    f"dapi{2 * HEX}",
    "hvs.CAESIJabcdefghijklmnopqrst",
    "SG.abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789",
    f"SK{2 * HEX}",
    "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP",
    "eyJhbGciOiJSU0EifQ.abcdefgh.abcdefgh.abcdefgh.abcdefgh",
    "Bearer abcdefghijklmnop0123==",
    "Authorization: Basic dXNlcjpwYXNzd29yZA==",
    "AccountKey=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG==",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----",
    r"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nMC4CAQAw never ended",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----",
]

KINDS = {
    "phone": PHONES,
    "card": CARDS,
    "iban": IBANS,
    "email": EMAILS,
    "ip": IPS,
    "secret": SECRETS,
}
CASES = [pytest.param(kind, each, id=each[:24]) for kind, them in KINDS.items() for each in them]


@pytest.mark.parametrize(("kind", "thing"), CASES)
def test_it_goes(kind, thing):
    assert f"use [{kind}]" == ALL.redacted(f"use {thing}")


@pytest.mark.parametrize(("kind", "thing"), CASES)
def test_it_goes_out_of_json(kind, thing):
    assert ALL.redacted(rf'{{"a": "x\n{thing}"').startswith(rf'{{"a": "x\n[{kind}]')


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_out_of_a_url(kind):
    first = KINDS[kind][0].replace(" ", "-").replace("+", "00")

    assert f"https://h/p?q=x%20[{kind}]" == ALL.redacted(f"https://h/p?q=x%20{first}")


def test_a_password_in_a_url_goes():
    assert "postgres[secret]db/x" == ALL.redacted("postgres://gremium:pass-1@db/x")
    assert "https[secret]example.org/" == ALL.redacted("https://:pass@example.org/")


@pytest.mark.parametrize(
    "text",
    [
        "In 2024-01-02 at 12:30:45 it was 3.14159265358979.",
        "2024-01-02 03-04-05, 01-02-2024, 01/02/2024, 02.01.2024 10:30",
        "The ratio 3:1, the call std::abs(x), a::b, version 1.2.3.",
        "OID 1.3.6.1.4.1.311.2.1.21 and 256.1.1.1",
        "00:1a:2b:3c:4d:5e",
        "4111 1111 1111 1112 is no card, DE88370400440532013000 no account.",
        "1234567890 and 0.25",
        "0.001234567 and 1,001234567 and 0.0123456789",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "100 200 300 400 500 600",
        "2017 2018 2019 2020 2021 2022 2023 2024",
        "20240102 120000, 20240102120005, 1704164645123 and 1234567890123456789",
        "x = 5+1234567",
        "(2019) 123456",
        "x@y, a @ b, @scope/name",
        "sk-short, the Bearer of news, basic responsibilities",
        "pk_customer_order_lines and sk_customer_dimension",
        "0000 0000 0000 0000",
        "000-000-0000 and 555-555-5555",
        "http://localhost:8080/a@b",
        "AB12 and some more words that go on",
    ],
)
def test_what_only_looks_so_is_left(text):
    assert text == ALL.redacted(text)
