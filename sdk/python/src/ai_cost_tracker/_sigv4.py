"""AWS's signature, version 4.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, urlsplit

_SERVICE = "bedrock"


@dataclass(frozen=True)
class AwsCredentials:
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    region: str | None = None


def signed(
    url: str, headers: dict[str, str], body: bytes, *, credentials: AwsCredentials, region: str, now: float
) -> dict[str, str]:
    """The headers of a signed POST of `body` to `url`."""
    time = datetime.fromtimestamp(now, tz=timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/{region}/{_SERVICE}/aws4_request"
    sent = {**headers, "x-amz-date": time}
    if credentials.session_token:
        sent["x-amz-security-token"] = credentials.session_token
    parts = urlsplit(url)
    named = sorted({**sent, "host": parts.netloc}.items())
    names = ";".join(name for name, _ in named)
    # Every service but S3 has the path encoded twice.
    lines = "".join(f"{name}:{value.strip()}\n" for name, value in named)
    request = "\n".join(("POST", quote(parts.path, safe="/-._~"), "", lines, names, hashlib.sha256(body).hexdigest()))
    text = "\n".join(("AWS4-HMAC-SHA256", time, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"{credentials.access_key_id}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**sent, "authorization": authorization}
