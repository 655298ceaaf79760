/**
 * AWS's signature, version 4, with the platform's own cryptography.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  region?: string;
}

interface Signing {
  credentials: AwsCredentials;
  region: string;
  at: Date;
}

const SERVICE = "bedrock";
const encoder = new TextEncoder();

/** The headers of a signed POST of `body` to `url`. */
export async function signed(url: URL, headers: Record<string, string>, body: string, signing: Signing) {
  const { credentials, region, at } = signing;
  const time = at.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${SERVICE}/aws4_request`;
  const sent: Record<string, string> = { ...headers, "x-amz-date": time };
  if (credentials.sessionToken) sent["x-amz-security-token"] = credentials.sessionToken;
  const named = Object.entries({ ...sent, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = named.map(([name]) => name).join(";");
  // Every service but S3 has the path encoded twice.
  const path = url.pathname.split("/").map(encoded).join("/");
  const lines = named.map(([name, value]) => `${name}:${value.trim()}\n`).join("");
  const request = ["POST", path, "", lines, names, await sha256(body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, await sha256(request)].join("\n");
  let key: ArrayBuffer = bytes(`AWS4${credentials.secretAccessKey}`);
  for (const part of scope.split("/")) key = await hmac(key, part);
  const signature = hex(await hmac(key, text));
  const credential = `${credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...sent, authorization };
}

/** As AWS encodes: everything but letters, digits and `-._~`. */
const encoded = (segment: string) =>
  encodeURIComponent(segment).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const bytes = (text: string): ArrayBuffer => encoder.encode(text).slice().buffer as ArrayBuffer;

const hex = (buffer: ArrayBuffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

const sha256 = async (text: string) => hex(await crypto.subtle.digest("SHA-256", bytes(text)));

async function hmac(key: ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return crypto.subtle.sign("HMAC", imported, bytes(text));
}
