using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Identity.Jose;

/// <summary>A key and the one algorithm it is used with. Immutable and free to be shared by all threads.</summary>
public abstract class SigningKey
{
    private const int SmallestModulus = 2048 / 8;
    private const int CoordinateLength = 32;

    private SigningKey(SigningAlgorithm algorithm, string? id) => (Algorithm, Id) = (algorithm, id);

    public SigningAlgorithm Algorithm { get; }

    /// <summary>The <c>kid</c> under which a key set lists it; null where there is one key only.</summary>
    public string? Id { get; }

    public abstract bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    internal abstract byte[] Sign(ReadOnlySpan<byte> data);

    /// <summary>A shared secret, as the originals' settings hold it: the key is its UTF-8.</summary>
    public static SigningKey Hmac(SigningAlgorithm algorithm, string secret) => Hmac(algorithm, Encoding.UTF8.GetBytes(secret));

    public static SigningKey Hmac(SigningAlgorithm algorithm, byte[] secret) => secret.Length == 0
        ? throw new ArgumentException("A secret must not be empty", nameof(secret))
        : new HmacKey(algorithm, HashOf(algorithm), secret);

    public static SigningKey Rsa(RSAParameters key, string? id = null) => key.Modulus is not { Length: >= SmallestModulus }
        ? throw new ArgumentException("An RSA key has at least 2048 bits", nameof(key))
        : new RsaKey(key, id);

    internal static SigningKey EllipticCurve(ECParameters key, string? id = null) =>
        key.Q.X is not { Length: CoordinateLength } || key.Q.Y is not { Length: CoordinateLength }
            ? throw new ArgumentException("ES256 takes points of P-256", nameof(key))
            : new EllipticCurveKey(key, id);

    private static HashAlgorithmName HashOf(SigningAlgorithm algorithm) => algorithm switch
    {
        SigningAlgorithm.HS256 => HashAlgorithmName.SHA256,
        SigningAlgorithm.HS384 => HashAlgorithmName.SHA384,
        SigningAlgorithm.HS512 => HashAlgorithmName.SHA512,
        SigningAlgorithm.RS256 or SigningAlgorithm.ES256 =>
            throw new ArgumentException("No secret belongs to this algorithm", nameof(algorithm)),
    };

    private sealed class HmacKey(SigningAlgorithm algorithm, HashAlgorithmName hash, byte[] secret) : SigningKey(algorithm, id: null)
    {
        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
            CryptographicOperations.FixedTimeEquals(Sign(data), signature);

        internal override byte[] Sign(ReadOnlySpan<byte> data) => CryptographicOperations.HmacData(hash, secret, data);
    }

    // The framework's key objects are not meant for several threads, so each use makes its own.
    private sealed class RsaKey(RSAParameters key, string? id) : SigningKey(SigningAlgorithm.RS256, id)
    {
        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
        {
            using var rsa = RSA.Create(key);
            return rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        internal override byte[] Sign(ReadOnlySpan<byte> data)
        {
            using var rsa = RSA.Create(key);
            return rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }
    }

    private sealed class EllipticCurveKey(ECParameters key, string? id) : SigningKey(SigningAlgorithm.ES256, id)
    {
        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
        {
            using var curve = ECDsa.Create(key);
            return curve.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }

        internal override byte[] Sign(ReadOnlySpan<byte> data)
        {
            using var curve = ECDsa.Create(key);
            return curve.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }
}
