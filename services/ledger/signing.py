"""Keys that sign records: Ed25519, in PEM files, told apart by a short id."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.core.errors import LedgerError

ID_BYTES: Final = 8


class Signer:
    """Signs hashes of records with a private key.

    What it gives is the id of its key and the signature behind it, so that
    records tell by which of several keys they were signed.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._id = _id(private.public_key())

    @property
    def key_id(self) -> str:
        """16 hex digits."""
        return self._id.hex()

    def sign(self, hashed: bytes) -> bytes:
        return self._id + self._private.sign(hashed)


class Verifier:
    """Checks what a `Signer` with the same key gave."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        self._public = public
        self._id = _id(public)

    @property
    def key_id(self) -> str:
        """16 hex digits."""
        return self._id.hex()

    def problem_of(self, signature: bytes, hashed: bytes) -> str:
        """What is wrong with a signature of a hash; empty: nothing."""
        if not signature:
            return "it is not signed"
        if signature[:ID_BYTES] != self._id:
            return f"it is signed by key {key_id_of(signature)}, not by {self.key_id}"
        try:
            self._public.verify(signature[ID_BYTES:], hashed)
        except InvalidSignature:
            return f"its signature is not one of key {self.key_id}"
        return ""


def key_id_of(signature: bytes) -> str:
    """Id of the key that a record says it was signed by; empty: by none."""
    return signature[:ID_BYTES].hex()


def make_key(path: Path) -> Signer:
    """Write a new private key into a new file, for its owner's eyes.

    Raises
    ------
    LedgerError
        If there is a file already, or it cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as err:
        raise LedgerError(f"{path} exists; a key is never replaced") from err
    except OSError as err:
        with suppress(OSError):
            path.unlink()  # half a key would stand in the way of a whole one
        raise LedgerError(f"cannot write key {path}: {err.strerror}") from err
    return Signer(private)


def signer_of(path: Path) -> Signer:
    """Whoever signs with the private key of a file.

    Raises
    ------
    LedgerError
        If the file cannot be read, or holds none.
    """
    try:
        private = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise LedgerError(f"{path} holds no private key: {err}") from err
    if not isinstance(private, Ed25519PrivateKey):
        raise LedgerError(f"{path} holds another kind of key; Ed25519 is needed")
    return Signer(private)


def verifier_of(path: Path) -> Verifier:
    """Whoever checks by the public key of a file, or by that of a private one.

    Raises
    ------
    LedgerError
        If the file cannot be read, or holds none.
    """
    return Verifier(public_key(_read(path), name=str(path)))


def public_key(pem: bytes, *, name: str = "this") -> Ed25519PublicKey:
    """The public key that a PEM text holds, or whose private key it holds.

    Raises
    ------
    LedgerError
        If it holds none.
    """
    try:
        is_private = b"PRIVATE KEY" in pem
        found = (
            load_pem_private_key(pem, password=None).public_key()
            if is_private
            else load_pem_public_key(pem)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise LedgerError(f"{name} holds no public key: {err}") from err
    if not isinstance(found, Ed25519PublicKey):
        raise LedgerError(f"{name} holds another kind of key; Ed25519 is needed")
    return found


def public_pem(public: Ed25519PublicKey) -> bytes:
    """A public key as text, to be handed out."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise LedgerError(f"cannot read key {path}: {err.strerror}") from err


def _id(public: Ed25519PublicKey) -> bytes:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).digest()[:ID_BYTES]
