using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Identity;

/// <summary>
/// PBKDF2 with SHA-256. Ours is <c>stoa1$iterations$salt$key</c> (Base64; the number is the version of the format); what Werkzeug wrote
/// (<c>pbkdf2:sha256:iterations$salt$hex</c>, the salt being text) is understood too and written anew when its owner signs in. Only so many
/// are computed at once as leave the processor to everybody else; the others wait, without a thread.
/// </summary>
public sealed class PasswordHasher(IOptions<PersonOptions> options) : IDisposable
{
    private const string Version = "stoa1";
    private const string Werkzeug = "pbkdf2:sha256:";
    private const int KeyBytes = 32;
    private const int SaltBytes = 16;

    // An imported hash that asks for more would be a way to keep a processor busy.
    private const int MostIterations = 10_000_000;

    private static readonly byte[] NoSalt = new byte[SaltBytes];
    private readonly SemaphoreSlim places = new(Math.Max(1, Environment.ProcessorCount / 2));
    private long work;

    /// <summary>Iterations done so far. Two answers that cost the same cannot be told apart by their time.</summary>
    internal long Work => Volatile.Read(ref work);

    private int Iterations => options.Value.PasswordIterations;

    public Task<string> HashAsync(string password, CancellationToken ct) => ComputeAsync(() => Hash(password), ct);

    /// <summary>
    /// Whether the password opens the hash; with none (nobody there, or nobody with a password) as much work is done and the answer is no.
    /// </summary>
    /// <returns><c>IsOld</c>: it does, and the hash should be written anew.</returns>
    public Task<(bool IsRight, bool IsOld)> VerifyAsync(string? hash, string password, CancellationToken ct) =>
        ComputeAsync(() => (Verify(hash, password, out var isOld), isOld), ct);

    public void Dispose() => places.Dispose();

    internal string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var key = Derive(Normalize(password), salt, Iterations);
        return string.Create(
            CultureInfo.InvariantCulture, $"{Version}${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(key)}");
    }

    internal bool Verify(string? hash, string password, out bool isOld)
    {
        isOld = false;
        if (hash is null || Read(hash) is not { } known)
        {
            Derive(Normalize(password), NoSalt, Iterations);
            return false;
        }
        // Werkzeug takes the password as it came.
        var given = known.IsOurs ? Normalize(password) : Encoding.UTF8.GetBytes(password);
        var isRight = CryptographicOperations.FixedTimeEquals(Derive(given, known.Salt, known.Iterations), known.Key);
        isOld = isRight && (!known.IsOurs || known.Iterations < Iterations);
        if (!isRight && known.Iterations < Iterations)
        {
            // A cheaper hash must not answer sooner than an account that does not exist.
            Derive(given, NoSalt, Iterations - known.Iterations);
        }
        return isRight;
    }

    private async Task<T> ComputeAsync<T>(Func<T> compute, CancellationToken ct)
    {
        await places.WaitAsync(ct);
        try
        {
            return await Task.Run(compute, ct);
        }
        finally
        {
            places.Release();
        }
    }

    private byte[] Derive(byte[] password, byte[] salt, int iterations)
    {
        Interlocked.Add(ref work, iterations);
        return Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, KeyBytes);
    }

    // However a keyboard composes its letters, the password is the same (RFC 8265).
    private static byte[] Normalize(string password) => Encoding.UTF8.GetBytes(password.Normalize(NormalizationForm.FormKC));

    private static Known? Read(string hash)
    {
        var parts = hash.Split('$');
        return parts switch
        {
            [Version, var count, var salt, var key] when Count(count) is { } iterations
                && Bytes(salt) is { } saltBytes && Bytes(key) is { Length: KeyBytes } keyBytes =>
                    new(true, iterations, saltBytes, keyBytes),
            [var method, var salt, var hex] when method.StartsWith(Werkzeug, StringComparison.Ordinal)
                && Count(method[Werkzeug.Length..]) is { } iterations && hex.Length == KeyBytes * 2 && hex.All(char.IsAsciiHexDigit) =>
                new(false, iterations, Encoding.UTF8.GetBytes(salt), Convert.FromHexString(hex)),
            _ => null,
        };
    }

    private static int? Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count is > 0 and <= MostIterations ? count : null;

    private static byte[]? Bytes(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var written) ? bytes[..written] : null;
    }

    private sealed record Known(bool IsOurs, int Iterations, byte[] Salt, byte[] Key);
}
