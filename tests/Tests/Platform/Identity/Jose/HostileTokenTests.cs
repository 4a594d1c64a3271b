using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity.Jose;

/// <summary>What people try. One key of each kind is configured; whatever the token says, only that counts.</summary>
public sealed class HostileTokenTests
{
    private const string Secret = "the secret of this test, long enough";
    private const string Good = """{"sub":"ada","exp":1767229200}"""; // 2026-01-01T01:00:00Z

    private static readonly RSAParameters Rsa = RsaKeys.Of("hostile");
    private static readonly ECParameters Curve = NewCurve();

    private static readonly SigningKey Hmac = SigningKey.Hmac(SigningAlgorithm.HS256, Secret);
    private static readonly SigningKey[] Keys = [Hmac, SigningKey.Rsa(Rsa, "rsa"), SigningKey.EllipticCurve(Curve, "ec")];

    private readonly FakeClock clock = new();

    [Fact]
    public void An_honest_token_of_each_kind_is_read() =>
        Assert.All(Keys, key => Assert.Null(FaultOf(Jws.Sign(Encoding.UTF8.GetBytes(Good), key))));

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("NONE")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData("hs256")]
    [InlineData("HS256 ")]
    [InlineData("HS1")]
    [InlineData("PS256")]
    public void An_algorithm_that_is_not_configured_is_never_tried(string algorithm)
    {
        var signed = Signed($$"""{"alg":"{{algorithm}}"}""", Good, Hmac);

        Assert.Equal(TokenFault.WrongSignature, FaultOf(signed));
        Assert.Equal(TokenFault.WrongSignature, FaultOf(signed[..(signed.LastIndexOf('.') + 1)]));
    }

    [Fact]
    public void A_public_key_is_no_secret()
    {
        using var rsa = RSA.Create(Rsa);
        string[] asTexts =
        [
            rsa.ExportSubjectPublicKeyInfoPem(), rsa.ExportSubjectPublicKeyInfoPem() + "\n", rsa.ExportRSAPublicKeyPem(),
            Base64Url.EncodeToString(Rsa.Modulus),
        ];
        byte[][] asBytes =
            [rsa.ExportSubjectPublicKeyInfo(), rsa.ExportRSAPublicKey(), Rsa.Modulus!, .. asTexts.Select(Encoding.UTF8.GetBytes)];

        Assert.All(asBytes, key => Assert.Equal(
            TokenFault.WrongSignature,
            FaultOf(Signed("""{"alg":"HS256","kid":"rsa"}""", Good, SigningKey.Hmac(SigningAlgorithm.HS256, key)))));
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("1234")]
    [InlineData("\0")]
    [InlineData("your-256-bit-secret")]
    public void A_common_secret_opens_nothing(string secret) =>
        Assert.Equal(
            TokenFault.WrongSignature, FaultOf(Jws.Sign(Encoding.UTF8.GetBytes(Good), SigningKey.Hmac(SigningAlgorithm.HS256, secret))));

    [Fact]
    public void There_is_no_empty_secret() => Assert.Throws<ArgumentException>(() => SigningKey.Hmac(SigningAlgorithm.HS256, ""));

    [Theory]
    [InlineData("HS384")]
    [InlineData("HS512")]
    public void The_right_secret_with_another_hash_is_wrong(string algorithm) => Assert.Equal(
        TokenFault.WrongSignature,
        FaultOf(Jws.Sign(Encoding.UTF8.GetBytes(Good), SigningKey.Hmac(Enum.Parse<SigningAlgorithm>(algorithm), Secret))));

    [Theory]
    [InlineData("\"kid\":\"../../../../dev/null\"")]
    [InlineData("\"kid\":\"x' union select 'the key'--\"")]
    [InlineData("\"kid\":\"/etc/passwd\\u0000\"")]
    public void A_key_name_leads_nowhere(string member) => Assert.Equal(
        TokenFault.WrongSignature,
        FaultOf(Signed($$"""{"alg":"HS256",{{member}}}""", Good, SigningKey.Hmac(SigningAlgorithm.HS256, "\0"))));

    [Theory]
    [InlineData("\"jku\":\"https://evil.example/keys\"")]
    [InlineData("\"x5u\":\"https://evil.example/key\"")]
    [InlineData("\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}")]
    [InlineData("\"x5c\":[\"AA==\"]")]
    [InlineData("\"crit\":[\"exp\"],\"exp\":1")]
    [InlineData("\"b64\":false")]
    [InlineData("\"zip\":\"DEF\"")]
    [InlineData("\"cty\":\"JWT\"")]
    [InlineData("\"kid\":7")]
    [InlineData("\"typ\":{}")]
    [InlineData("\"alg\":\"HS256\"")]
    public void A_header_that_wants_more_is_refused_even_with_the_right_signature(string member) =>
        Assert.Equal(TokenFault.Malformed, FaultOf(Signed($$"""{"alg":"HS256",{{member}}}""", Good, Hmac)));

    [Theory]
    [InlineData("JOSE")]
    [InlineData("at+jwt")]
    [InlineData("JWE")]
    public void Another_type_of_token_is_refused(string type) =>
        Assert.Equal(TokenFault.Malformed, FaultOf(Signed($$"""{"alg":"HS256","typ":"{{type}}"}""", Good, Hmac)));

    [Theory]
    [InlineData("""{"sub":"ada","exp":1767229200,"sub":"root"}""")]
    [InlineData("""{"exp":1,"sub":"ada","exp":1767229200}""")]
    [InlineData("""{"sub":"ada","exp":1767229200,"s\u0075b":"root"}""")]
    [InlineData("""{"sub":"ada","exp":"1767229200"}""")]
    [InlineData("""{"sub":"ada","exp":true}""")]
    [InlineData("""{"sub":"ada","exp":null}""")]
    [InlineData("""{"sub":"ada"}""")]
    [InlineData("""{"sub":"ada","exp":1767229200,"nbf":"0"}""")]
    [InlineData("""{"sub":"ada","exp":1767229200,"iat":[]}""")]
    [InlineData("""{"sub":"ada","exp":1767229200} x""")]
    [InlineData("""{"sub":"ada","exp":1767229200,"\ud800":1}""")]
    [InlineData("""["sub","ada"]""")]
    [InlineData("\"eyJhbGciOiJIUzI1NiJ9.e30.AAAA\"")]
    [InlineData("null")]
    [InlineData("")]
    public void Claims_that_can_be_read_in_two_ways_or_in_none_are_refused(string claims) =>
        Assert.Equal(TokenFault.Malformed, FaultOf(Signed("""{"alg":"HS256"}""", claims, Hmac)));

    [Fact]
    public void Claims_that_are_too_deep_or_not_UTF8_are_refused()
    {
        var deep = $$"""{"sub":"ada","exp":1767229200,"a":{{new string('[', 200)}}{{new string(']', 200)}}}""";
        Assert.Equal(TokenFault.Malformed, FaultOf(Signed("""{"alg":"HS256"}""", deep, Hmac)));
        Assert.Equal(TokenFault.Malformed, FaultOf(Jws.Sign([.. "{\"exp\":1767229200,\"sub\":\""u8, 0xff, .. "\"}"u8], Hmac)));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("...")]
    [InlineData("a.b.c")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30.AAAA.AAAA.AAAA")]
    [InlineData("bnVsbA.e30.AAAA")]
    [InlineData("W10.e30.AAAA")]
    [InlineData("e30.e30.AAAA")]
    [InlineData("{\"alg\":\"HS256\"}.e30.AAAA")]
    public void What_is_no_token_is_refused(string text) => Assert.Equal(TokenFault.Malformed, FaultOf(text));

    [Fact]
    public void A_token_of_a_mebibyte_is_not_looked_at()
    {
        var claims = $$"""{"sub":"ada","exp":1767229200,"x":"{{new string('x', 1 << 20)}}"}""";
        Assert.Equal(TokenFault.Malformed, FaultOf(Signed("""{"alg":"HS256"}""", claims, Hmac)));
        Assert.Null(Jwe.Decrypt(Jwe.Encrypt(Encoding.UTF8.GetBytes(claims), new byte[Jwe.KeyLength]), new byte[Jwe.KeyLength]));
    }

    [Theory]
    [InlineData("=")]
    [InlineData("==")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("+")]
    [InlineData("/")]
    [InlineData("%3D")]
    [InlineData("A")]
    public void A_part_has_one_spelling(string addition)
    {
        var parts = Jws.Sign(Encoding.UTF8.GetBytes(Good), Hmac).Split('.');

        Assert.All(Enumerable.Range(0, 3), changed => Assert.NotNull(
            FaultOf(string.Join('.', parts.Select((part, index) => index == changed ? part + addition : part)))));
        // 32 bytes leave two bits over in the last sign; an encoder writes zeros.
        var last = parts[2][^1];
        Assert.Equal(TokenFault.Malformed, FaultOf($"{parts[0]}.{parts[1]}.{parts[2][..^1]}{(char)(last + 1)}"));
    }

    [Theory]
    [InlineData("exp", 0, TokenFault.Expired)]
    [InlineData("exp", -1, TokenFault.Expired)]
    [InlineData("exp", 1, null)]
    [InlineData("nbf", 0, null)]
    [InlineData("nbf", 1, TokenFault.NotYetValid)]
    [InlineData("iat", 0, null)]
    [InlineData("iat", 1, TokenFault.NotYetValid)]
    public void Times_end_to_the_second(string claim, int secondsFromNow, TokenFault? expected)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject { ["exp"] = now + 1000, [claim] = now + secondsFromNow };

        Assert.Equal(expected, FaultOf(Jwt.Create(claims, Hmac), new() { ClockSkew = TimeSpan.Zero }));
    }

    [Fact]
    public void The_clock_decides_and_the_skew_forgives_a_little()
    {
        var token = Jwt.Create(new() { ["exp"] = clock.GetUtcNow().ToUnixTimeSeconds() + 60 }, Hmac);
        clock.Advance(TimeSpan.FromSeconds(74));
        Assert.Null(FaultOf(token));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TokenFault.Expired, FaultOf(token));
    }

    [Theory]
    [InlineData("1e400", null)]
    [InlineData("99999999999999999999", null)]
    [InlineData("1767229200.5", null)]
    [InlineData("-1", TokenFault.Expired)]
    [InlineData("-1e400", TokenFault.Expired)]
    [InlineData("0", TokenFault.Expired)]
    public void Strange_numbers_are_times_all_the_same(string end, TokenFault? expected) =>
        Assert.Equal(expected, FaultOf(Signed("""{"alg":"HS256"}""", $$"""{"exp":{{end}}}""", Hmac)));

    [Theory]
    [InlineData("""{"exp":1767229200,"iss":"us","aud":"app"}""", null)]
    [InlineData("""{"exp":1767229200,"iss":"us","aud":["x","app"]}""", null)]
    [InlineData("""{"exp":1767229200,"aud":"app"}""", TokenFault.WrongIssuer)]
    [InlineData("""{"exp":1767229200,"iss":"US","aud":"app"}""", TokenFault.WrongIssuer)]
    [InlineData("""{"exp":1767229200,"iss":["us"],"aud":"app"}""", TokenFault.WrongIssuer)]
    [InlineData("""{"exp":1767229200,"iss":"us"}""", TokenFault.WrongAudience)]
    [InlineData("""{"exp":1767229200,"iss":"us","aud":"app2"}""", TokenFault.WrongAudience)]
    [InlineData("""{"exp":1767229200,"iss":"us","aud":{"app":1}}""", TokenFault.WrongAudience)]
    [InlineData("""{"exp":1767229200,"iss":"us","aud":[]}""", TokenFault.WrongAudience)]
    public void Issuer_and_audience_are_compared_exactly(string claims, TokenFault? expected) => Assert.Equal(
        expected, FaultOf(Signed("""{"alg":"HS256"}""", claims, Hmac), new() { Issuers = ["us"], Audiences = ["app"] }));

    [Fact]
    public void Whatever_is_signed_can_be_read() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<byte>(),
        (text, which) =>
        {
            var subject = new string([.. text.Get.Where(sign => !char.IsSurrogate(sign))]);
            var token = Jwt.Create(new() { ["sub"] = subject, ["exp"] = 1767229200 }, Keys[which % Keys.Length]);
            return Jwt.TryRead(token, Keys, new(), clock.GetUtcNow(), out var claims, out _) && claims.Text("sub") == subject;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_changed_character_is_noticed() => Prop.ForAll(
        Gen.Choose(0, 2).Zip(Gen.Choose(0, int.MaxValue)).Zip(Gen.Choose(1, 127)).ToArbitrary(),
        change =>
        {
            var ((which, at), flip) = change;
            var signs = Jws.Sign(Encoding.UTF8.GetBytes(Good), Keys[which]).ToCharArray();
            signs[at % signs.Length] ^= (char)flip;
            return FaultOf(new(signs)) is not null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Whatever_is_encrypted_can_be_read_by_its_key_only() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<byte>(),
        (text, last) =>
        {
            var key = RandomNumberGenerator.GetBytes(Jwe.KeyLength);
            var other = (byte[])key.Clone();
            other[^1] ^= (byte)(last | 1);
            var token = Jwe.Encrypt(text, key);
            return Jwe.Decrypt(token, key)!.SequenceEqual(text) && Jwe.Decrypt(token, other) is null;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_changed_character_of_an_encrypted_token_is_noticed() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(1, 127)).ToArbitrary(),
        change =>
        {
            var key = new byte[Jwe.KeyLength];
            var signs = Jwe.Encrypt("{\"userId\":1}"u8, key).ToCharArray();
            signs[change.Item1 % signs.Length] ^= (char)change.Item2;
            return Jwe.Decrypt(signs, key) is null;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Theory]
    [InlineData("""{"alg":"A256KW","enc":"A256GCM"}""")]
    [InlineData("""{"alg":"dir","enc":"A128GCM"}""")]
    [InlineData("""{"alg":"dir","enc":"A256CBC-HS512"}""")]
    [InlineData("""{"alg":"dir"}""")]
    [InlineData("""{"alg":"dir","enc":"A256GCM","zip":"DEF"}""")]
    [InlineData("""{"alg":"dir","enc":"A256GCM","cty":"JWT"}""")]
    [InlineData("""{"alg":"dir","enc":"A256GCM","crit":["x"]}""")]
    [InlineData("""{"alg":"dir","enc":"A256GCM","enc":"A256GCM"}""")]
    public void An_encrypted_token_is_of_one_kind(string header)
    {
        var encoded = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header));
        var key = new byte[Jwe.KeyLength];
        byte[] text = [.. "{}"u8], sealedText = new byte[2], tag = new byte[16], nonce = new byte[12];
        using var cipher = new AesGcm(key, tag.Length);
        cipher.Encrypt(nonce, text, sealedText, tag, Encoding.ASCII.GetBytes(encoded));

        Assert.Null(Jwe.Decrypt(
            $"{encoded}..{Base64Url.EncodeToString(nonce)}.{Base64Url.EncodeToString(sealedText)}.{Base64Url.EncodeToString(tag)}", key));
    }

    private TokenFault? FaultOf(string token, JwtRules? rules = null) =>
        Jwt.TryRead(token, Keys, rules ?? new(), clock.GetUtcNow(), out _, out var fault) ? null : fault;

    private static string Signed(string header, string claims, SigningKey key)
    {
        var signed =
            $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static ECParameters NewCurve()
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return curve.ExportParameters(includePrivateParameters: true);
    }
}
