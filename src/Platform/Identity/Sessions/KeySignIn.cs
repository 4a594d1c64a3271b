using System.Net;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Http;
using Stoa.Platform.Limits;

namespace Stoa.Platform.Identity;

/// <summary>An operator's way into the pages: with an API key. The session ends with the key.</summary>
internal sealed partial class KeySignIn(KeyRing keys, ILimits limits, ILogger<KeySignIn> logger)
{
    private const int AttemptsPerMinute = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <exception cref="Failure">Too many attempts, with the time to wait.</exception>
    public async Task<ApiKey?> ProveAsync(string? token, IPAddress? address, CancellationToken ct)
    {
        var attempts = new LimitKey(Place.OwnerOf(address), "signin");
        var attempt = await limits.TakeAsync(attempts, AttemptsPerMinute, Window, 1, ct);
        if (!attempt.Allowed)
        {
            throw Failure.TooMany("Too many attempts to sign in. Wait a moment and try again.", attempt.RetryAfter);
        }
        if (keys.Find((token ?? "").AsSpan().Trim()) is not { } key)
        {
            LogRefused();
            return null;
        }
        limits.Settle(attempts, Window, -1, attempt.TakenAt);
        keys.Used(key);
        LogSignedIn(key.Id);
        return key;
    }

    [LoggerMessage(LogLevel.Information, "Key {Key} signed in to the pages")]
    private partial void LogSignedIn(Guid key);

    [LoggerMessage(LogLevel.Information, "A sign-in to the pages was refused: the key is unknown, revoked or expired")]
    private partial void LogRefused();
}
