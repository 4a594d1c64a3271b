using System.Security.Cryptography;
using System.Text;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Tests.Platform.Identity.Jose;

/// <summary>The examples that the RFCs print.</summary>
public sealed class PublishedVectorsTests
{
    private const string Claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    // The claims end at 2011-03-22T18:43:00Z.
    private static readonly DateTimeOffset InTime = new(2011, 3, 22, 18, 0, 0, TimeSpan.Zero);

    private static readonly SigningKey Hs256 = SigningKey.Hmac(SigningAlgorithm.HS256, Decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));

    private static readonly SigningKey Rs256 = SigningKey.Rsa(new()
    {
        Modulus = Decode(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwO"
            + "WvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh"
            + "9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"),
        Exponent = Decode("AQAB"),
    });

    private static readonly SigningKey Es256 = SigningKey.EllipticCurve(new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new() { X = Decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), Y = Decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0") },
    });

    [Fact]
    public void RFC_7515_A_1_and_RFC_7519_3_1_HS256() =>
        Holds($"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{Claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", Hs256);

    [Fact]
    public void RFC_7515_A_2_RS256() => Holds(
        $"eyJhbGciOiJSUzI1NiJ9.{Claims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbd"
        + "s9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jz"
        + "DwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw", Rs256);

    [Fact]
    public void RFC_7515_A_3_ES256() => Holds(
        $"eyJhbGciOiJFUzI1NiJ9.{Claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", Es256);

    [Fact]
    public void RFC_7515_A_5_unsecured_is_refused() => Assert.Equal(TokenFault.WrongSignature, FaultOf($"eyJhbGciOiJub25lIn0.{Claims}."));

    [Fact]
    public void RFC_7515_E_critical_extension_is_refused() => Assert.Equal(TokenFault.Malformed, FaultOf(
        "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUN"
        + "Cn0.RkFJTA."));

    [Fact]
    public void RFC_7516_A_1_content_encryption_A256GCM()
    {
        byte[] key =
        [
            177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110, 91, 112, 46, 34, 105, 47, 130, 203, 46,
            122, 234, 64, 252,
        ];
        byte[] nonce = [227, 197, 117, 252, 2, 219, 233, 68, 180, 225, 77, 219];

        var text = Jwe.Open(
            Encoding.ASCII.GetBytes("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ"), nonce,
            Decode("5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A"),
            Decode("XFBoMYUZodetZdvTiFvSkQ"),
            key);

        Assert.Equal("The true sign of intelligence is not knowledge but imagination.", Encoding.UTF8.GetString(text!));
    }

    [Fact]
    public void RFC_7517_A_1_of_the_set_only_the_key_for_signatures_is_taken()
    {
        var keys = JsonWebKeys.Read(Encoding.UTF8.GetBytes("""
            {"keys":[
              {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
               "use":"enc","kid":"1"},
              {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
               "e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}
            """));

        Assert.Equal(("2011-04-29", SigningAlgorithm.RS256), (Assert.Single(keys!).Key, keys!["2011-04-29"].Algorithm));
    }

    [Theory]
    [InlineData(SigningAlgorithm.HS256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    [InlineData(SigningAlgorithm.HS384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649")]
    [InlineData(
        SigningAlgorithm.HS512,
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")]
    public void RFC_4231_4_3_each_HMAC(SigningAlgorithm algorithm, string mac)
    {
        var key = SigningKey.Hmac(algorithm, "Jefe");
        Assert.Equal(mac, Convert.ToHexStringLower(key.Sign("what do ya want for nothing?"u8)));
    }

    private static void Holds(string token, SigningKey key)
    {
        Assert.True(Jwt.TryRead(token, [key], new(), InTime, out var claims, out _));
        Assert.Equal(("joe", true), (claims.Text("iss"), claims.IsTrue("http://example.com/is_root")));
    }

    private static TokenFault FaultOf(string token)
    {
        Assert.False(Jwt.TryRead(token, [Hs256, Rs256, Es256], new(), InTime, out _, out var fault));
        return fault;
    }

    private static byte[] Decode(string text) => StrictBase64Url.Decode(text)!;
}
