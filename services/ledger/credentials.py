"""What secrets look like: private keys, tokens of known makes, and what stands where one does.

Patterns of RE2. Whoever hands out tokens marks them by how they begin.
"""

from typing import Final

_PRIVATE_KEY: Final = (
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
    r"[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)"
)
_MARKED: Final = (
    r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,3}",  # JSON web tokens
    r"(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}",  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"(?:sk|pk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}",  # Stripe
    r"sk_[0-9a-f]{32,}",
    r"whsec_[A-Za-z0-9+/]{16,}",
    r"gh[oprsu]_[A-Za-z0-9]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"gl(?:pat|ptt|dt|rt|ft|cbt|oas|imt|soat|agent)-[A-Za-z0-9_-]{16,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-[0-9]-[A-Za-z0-9-]{10,}",
    r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",  # Amazon
    r"AIza[A-Za-z0-9_-]{30,}",  # Google
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"GOCSPX-[A-Za-z0-9_-]{20,}",
    r"(?:hf|gsk|r8|ntn|lin_api)_[A-Za-z0-9]{20,}",  # Hugging Face, Groq, Replicate, Notion, Linear
    r"(?:xai|pplx|nvapi)-[A-Za-z0-9_-]{20,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-AgE[A-Za-z0-9_-]{16,}",
    r"dckr_pat_[A-Za-z0-9_-]{20,}",
    r"do[opr]_v1_[0-9a-f]{40,}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",  # Shopify
    r"dapi[0-9a-f]{32}",  # Databricks
    r"hv[sbr]\.[A-Za-z0-9_-]{20,}",  # Vault
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"(?:AC|SK)[0-9a-f]{32}\b",  # Twilio
    r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",  # Telegram
    r"AGE-SECRET-KEY-1[A-Z0-9]{50,}",
)
_PLACED: Final = (
    r"(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*",
    r"(?i:\bauthorization[\"']?\s*[:=]\s*[\"']?basic\s+)[A-Za-z0-9+/]{8,}=*",
    r"(?i:aws_?secret_?access_?key[\"']?\s*[:=]\s*[\"']?)[A-Za-z0-9/+]{40}",
    r"\bAccountKey=[A-Za-z0-9+/]{40,}=*",  # Azure
    r"://[^\s:/?#@\"'<>]*:[^\s/?#@\"'<>]+@",  # a password in a URL
)

CREDENTIAL: Final = "|".join([_PRIVATE_KEY, rf"\b(?:{'|'.join(_MARKED)})", *_PLACED])
"""Any of them."""
