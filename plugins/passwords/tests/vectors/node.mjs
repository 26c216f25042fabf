// Hashes by Node 20's node:crypto: node node.mjs >node.tsv. `$scrypt$` and `$pbkdf2-…$` are passlib's way of writing them.
// After the hash stand the declared layout and the salt, where it takes any.
import { createHash, createHmac, pbkdf2Sync, randomBytes, scryptSync } from "node:crypto";

const passwords = ["correct horse battery staple", "p\u00e4ssw\u00f6rd \u{1f980} \" ' \\ $", " x ", "y".repeat(200)];
const say = (password, ...rest) => console.log(["node", JSON.stringify(password), ...rest].join("\t"));
const bare = (bytes) => bytes.toString("base64").replaceAll("=", "");
for (const password of passwords) {
  const salt = randomBytes(16);
  say(password, `$scrypt$ln=10,r=8,p=2$${bare(salt)}$${bare(scryptSync(password, salt, 32, { N: 1024, r: 8, p: 2 }))}`);
  say(password, `$pbkdf2-sha512$1000$${bare(salt).replaceAll("+", ".")}$${bare(pbkdf2Sync(password, salt, 1000, 64, "sha512")).replaceAll("+", ".")}`);
  // ASP.NET Identity's two layouts, by aspnetcore's PasswordHasher.cs: .NET itself is no part of these tests.
  const header = Buffer.alloc(13);
  header.writeUInt8(1, 0);
  for (const [prf, name] of [[1, "sha256"], [2, "sha512"]]) {
    header.writeUInt32BE(prf, 1);
    header.writeUInt32BE(1000, 5);
    header.writeUInt32BE(16, 9);
    say(password, Buffer.concat([header, salt, pbkdf2Sync(password, salt, 1000, 32, name)]).toString("base64"));
  }
  say(password, Buffer.concat([Buffer.of(0), salt, pbkdf2Sync(password, salt, 1000, 32, "sha1")]).toString("base64"));
  const text = salt.toString("hex");
  for (const name of ["md5", "sha1", "sha256", "sha384", "sha512"]) {
    const of = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash(name));
    say(password, of(password).digest("hex"), `${name} password hex`, "");
    say(password, of(text, password).digest("hex"), `${name} salt_password hex`, text);
    say(password, of(password, text).digest("base64"), `${name} password_salt base64`, text);
    if (name !== "md5") say(password, createHmac(name, text).update(password).digest("hex"), `${name} hmac_keyed_by_salt hex`, text);
  }
}
