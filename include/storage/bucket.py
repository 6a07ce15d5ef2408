"""The S3 bucket that a lake is in: whether it is set up as a lake needs it, and links to single files.

    bucket = LakeBucket("s3://wine/lake")
    for finding in bucket.inspect(): ...
    bucket.abort_unfinished_uploads()

`Lake` reads and writes files through s3fs; what concerns the bucket as a whole is asked of S3 itself, through boto3.
Credentials, region and endpoint come from the usual AWS environment, profile or role.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from include.errors import ConfigurationError

S3_SCHEME = "s3://"
UPLOAD_RULE = "abort unfinished uploads of the lake"
"""Id of the lifecycle rule that this module writes."""
UPLOAD_DAYS = 1
LINK_SECONDS = 3600
REQUEST_SECONDS = 10

_T = TypeVar("_T")
_UNNAMED_REGIONS = {"": "us-east-1", "EU": "eu-west-1"}
"""The regions that S3 had before it named them as now."""
_NOT_ALLOWED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403"})
_NOT_SUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented", "501", "405"})
"""What servers answer that speak S3 without knowing the question."""


@dataclass(frozen=True)
class BucketFinding:
    """One property of the bucket that was looked at."""

    what: str
    """What must hold, e.g. `the bucket blocks public access`."""
    problem: str = ""
    """How it does not, and what to do; empty if it holds or cannot be looked at."""


class LakeBucket:
    """The bucket of a lake, by the lake's URL."""

    def __init__(self, url: str) -> None:
        """Describe the bucket of `s3://bucket/prefix`; nothing is asked yet. ConfigurationError for any other URL."""
        if not url.startswith(S3_SCHEME):
            raise ConfigurationError(f"{url} is not in a bucket: expected s3://bucket/prefix")
        self.name, _, prefix = url.removeprefix(S3_SCHEME).partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client: Any = None

    @property
    def client(self) -> Any:
        """The boto3 client, made at first use."""
        if self._client is None:
            import boto3
            from botocore.config import Config

            config = Config(
                connect_timeout=REQUEST_SECONDS,
                read_timeout=REQUEST_SECONDS,
                retries={"total_max_attempts": 3},
                signature_version="s3v4",
            )
            # A session of its own: the default one keeps the credentials that it found first.
            self._client = boto3.session.Session().client("s3", config=config)
        return self._client

    def inspect(self) -> list[BucketFinding]:
        """Look at the bucket without changing it; if it cannot be reached, that is the only finding.

        What the credentials may not ask for, or the server does not know, is named as not checked and is no problem.
        """
        reached = self._reached()
        if reached.problem:
            return [reached]
        looks: tuple[tuple[str, str, Callable[[], str]], ...] = (
            ("the bucket is in the region of the settings", "s3:GetBucketLocation", self._region),
            ("the bucket blocks public access", "s3:GetBucketPublicAccessBlock", self._public_access),
            ("the bucket encrypts what it holds", "s3:GetEncryptionConfiguration", self._encryption),
            ("unfinished uploads are removed", "s3:GetLifecycleConfiguration", self._unfinished_uploads),
            ("replaced files do not pile up", "s3:GetBucketVersioning", self._versions),
        )
        return [reached, *(self._look(*look) for look in looks)]

    def abort_unfinished_uploads(self) -> bool:
        """Add the lifecycle rule that removes unfinished uploads below the lake; False if one covers it already.

        Other rules of the bucket stay. Raises ConfigurationError if S3 refuses.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            rules = self._lifecycle_rules()
            if any(self._aborts_uploads(rule) for rule in rules):
                return False
            rule = {
                "ID": UPLOAD_RULE,
                "Status": "Enabled",
                "Filter": {"Prefix": self._prefix},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": UPLOAD_DAYS},
            }
            kept = [other for other in rules if other.get("ID") != UPLOAD_RULE]
            self.client.put_bucket_lifecycle_configuration(
                Bucket=self.name, LifecycleConfiguration={"Rules": [*kept, rule]}
            )
        except (ClientError, BotoCoreError) as error:
            raise ConfigurationError(
                f"the lifecycle rule of bucket {self.name} could not be set ({error}): it needs "
                "s3:GetLifecycleConfiguration and s3:PutLifecycleConfiguration; or add a rule that aborts incomplete "
                f"multipart uploads below {self._prefix or 'the bucket'} by hand"
            ) from error
        return True

    def link(self, path: str, content_type: str, seconds: int = LINK_SECONDS) -> str:
        """A presigned address of a file of the lake, for a browser without credentials.

        Whoever has the address can read that file for `seconds`: show it to the person who asked, and log it nowhere.
        """
        parameters = {"Bucket": self.name, "Key": f"{self._prefix}{path}", "ResponseContentType": content_type}
        return str(self.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds))

    # Inside

    def _reached(self) -> BucketFinding:
        from botocore.exceptions import BotoCoreError, ClientError

        what = f"the bucket {self.name} can be reached"
        try:
            self.client.head_bucket(Bucket=self.name)
        except ClientError as error:
            code = _code(error)
            if code in {"404", "NoSuchBucket"}:
                return BucketFinding(
                    what, f"there is no such bucket: `aws s3 mb s3://{self.name}`, or set CUVEE_LAKE_URL"
                )
            if code in _NOT_ALLOWED:
                return BucketFinding(what, "the credentials may not use it: they need s3:ListBucket on it")
            return BucketFinding(what, f"S3 refused: {error}")
        except BotoCoreError as error:  # no credentials, no region, no connection
            return BucketFinding(
                what,
                f"S3 could not be asked: {error}. Check the AWS credentials, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL",
            )
        return BucketFinding(what)

    def _look(self, what: str, permission: str, look: Callable[[], str]) -> BucketFinding:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return BucketFinding(what, look())
        except ClientError as error:
            code = _code(error)
            if code in _NOT_ALLOWED:
                return BucketFinding(f"{what} (not checked: the credentials lack {permission})")
            if code in _NOT_SUPPORTED:
                return BucketFinding(f"{what} (not checked: this server does not support it)")
            return BucketFinding(what, f"S3 refused the question: {error}")
        except BotoCoreError as error:
            return BucketFinding(what, f"S3 did not answer: {error}")

    def _region(self) -> str:
        location = self.client.get_bucket_location(Bucket=self.name).get("LocationConstraint")
        if not location and not _is_aws(self.client.meta.endpoint_url):
            return ""  # a server without regions
        region = _UNNAMED_REGIONS.get(location or "", location)
        configured = self.client.meta.region_name
        if configured in {region, "aws-global"}:
            return ""
        return f"it is in {region}, and requests go to {configured}: set AWS_DEFAULT_REGION={region}"

    def _public_access(self) -> str:
        def block() -> dict[str, bool]:
            found = self.client.get_public_access_block(Bucket=self.name)
            return dict(found["PublicAccessBlockConfiguration"])

        blocked: dict[str, bool] = _absent_is(block, "NoSuchPublicAccessBlockConfiguration", {})
        flags = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        missing = [flag for flag in flags if not blocked.get(flag)]
        if not missing:
            return ""
        return (
            f"{', '.join(missing)} are off, so that one wrong policy makes the lake public: `aws s3api "
            f"put-public-access-block --bucket {self.name} --public-access-block-configuration "
            f"{','.join(f'{flag}=true' for flag in flags)}`"
        )

    def _encryption(self) -> str:
        def rules() -> list[Any]:
            found = self.client.get_bucket_encryption(Bucket=self.name)
            return list(found["ServerSideEncryptionConfiguration"]["Rules"])

        if _absent_is(rules, "ServerSideEncryptionConfigurationNotFoundError", []):
            return ""
        rule = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
        return (
            f"no default encryption is set: `aws s3api put-bucket-encryption --bucket {self.name} "
            f"--server-side-encryption-configuration '{rule}'`"
        )

    def _unfinished_uploads(self) -> str:
        if any(self._aborts_uploads(rule) for rule in self._lifecycle_rules()):
            return ""
        return (
            "no lifecycle rule aborts incomplete multipart uploads, so what a killed task had uploaded is stored and "
            "paid for indefinitely: `python -m include check --set-upload-rule` adds the rule"
        )

    def _versions(self) -> str:
        if self.client.get_bucket_versioning(Bucket=self.name).get("Status") != "Enabled":
            return ""
        if any("NoncurrentVersionExpiration" in rule and self._covers(rule) for rule in self._lifecycle_rules()):
            return ""
        return (
            "versioning keeps every file that is replaced, and no lifecycle rule expires noncurrent versions: add one, "
            "or suspend versioning"
        )

    def _lifecycle_rules(self) -> list[dict[str, Any]]:
        def rules() -> list[dict[str, Any]]:
            return list(self.client.get_bucket_lifecycle_configuration(Bucket=self.name)["Rules"])

        return _absent_is(rules, "NoSuchLifecycleConfiguration", [])

    def _aborts_uploads(self, rule: Mapping[str, Any]) -> bool:
        return "AbortIncompleteMultipartUpload" in rule and self._covers(rule)

    def _covers(self, rule: Mapping[str, Any]) -> bool:
        """Whether a lifecycle rule applies to every file of the lake: by prefix alone, or by nothing."""
        condition = rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}
        by_prefix_alone = set(condition) <= {"Prefix"}
        return (
            rule.get("Status") == "Enabled" and by_prefix_alone and self._prefix.startswith(condition.get("Prefix", ""))
        )


def _is_aws(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _absent_is(ask: Callable[[], _T], code: str, default: _T) -> _T:
    """What S3 answers, or the default where it says with that code that nothing is configured."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if _code(error) != code:
            raise
        return default
