using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;

namespace Stoa.Platform.Identity;

/// <summary>What we ask of a secret in the settings that proves whoever knows it.</summary>
public static class SharedSecret
{
    /// <summary>Tokens can be tried against guessed secrets without us; a short one falls at once.</summary>
    private const int Shortest = 16;

    // Placeholders of the systems whose clients we serve, of their samples, and what people type first.
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "1234", "secret", "changeme", "change-me", "password", "test", "development", "dev",
        "jwt_secret", "scheduler_secret", "background_secret", "backoffice_secret", "webapp_secret", "purchase_updater_socketio_secret",
        "your-256-bit-secret", "a-string-secret-at-least-256-bits-long", "nextauth_secret", "your_nextauth_secret",
    };

    /// <summary>
    /// Compares in a time that tells nothing, not even how long the secret is. False when none is configured: an empty setting opens
    /// nothing.
    /// </summary>
    public static bool Matches(string? presented, string? configured) => CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(presented ?? "")), SHA256.HashData(Encoding.UTF8.GetBytes(configured ?? "")))
        && !string.IsNullOrEmpty(configured);

    /// <summary>What is wrong with it, or null. Development takes whatever is not empty.</summary>
    /// <param name="shipped">Further texts that come with an original and are known to everybody.</param>
    public static string? RuleBroken(string? secret, IHostEnvironment environment, params ReadOnlySpan<string> shipped) =>
        string.IsNullOrEmpty(secret) ? "must not be empty"
        : environment.IsDevelopment() ? null
        : Known.Contains(secret) || shipped.Contains(secret)
        ? "must be a secret of your own: outside Development no shipped default is accepted"
        : secret.Length < Shortest ? $"must have at least {Shortest} characters outside Development"
        : null;
}
