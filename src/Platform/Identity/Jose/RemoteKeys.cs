using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity.Jose;

/// <summary>
/// The key set that an issuer shows at an address. Known keys are used as long as the issuer allows and beyond that while he cannot be
/// reached; a key we have not seen makes us look again, but never so often that a made-up <c>kid</c> becomes a load on him.
/// </summary>
internal sealed partial class RemoteKeys(IHttpClientFactory clients, string client, Uri address, TimeProvider time, ILogger logger)
    : IDisposable
{
    internal static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(30);

    private const int MostBytes = 256 * 1024;

    private static readonly TimeSpan ShortestLife = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan UsualLife = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(1);

    private readonly SemaphoreSlim turn = new(1);
    private volatile Snapshot? known;
    private DateTimeOffset? asked;

    /// <summary>The key of this name, or null when the issuer has none.</summary>
    /// <exception cref="Failure">Unavailable: his keys were never read and cannot be read now.</exception>
    public async ValueTask<SigningKey?> FindAsync(string id, CancellationToken ct)
    {
        if (known is { } fresh && time.GetUtcNow() < fresh.FreshUntil && fresh.Keys.TryGetValue(id, out var key))
        {
            return key;
        }
        await turn.WaitAsync(ct);
        try
        {
            var now = time.GetUtcNow();
            if ((known is null || now >= known.FreshUntil || !known.Keys.ContainsKey(id)) && !(now - asked < AskAgainAfter))
            {
                asked = now;
                // What all wait for does not end with the one who came first; the client has its own time limit.
                await ReadAsync(CancellationToken.None);
            }
        }
        finally
        {
            turn.Release();
        }
        return known is { } last
            ? last.Keys.GetValueOrDefault(id)
            : throw Failure.Unavailable("The keys of the issuer cannot be read", AskAgainAfter);
    }

    public void Dispose() => turn.Dispose();

    private async Task ReadAsync(CancellationToken ct)
    {
        try
        {
            using var http = clients.CreateClient(client);
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            answer.EnsureSuccessStatusCode();
            await answer.Content.LoadIntoBufferAsync(MostBytes, ct);
            if (JsonWebKeys.Read(await answer.Content.ReadAsByteArrayAsync(ct)) is { Count: > 0 } keys)
            {
                known = new(keys, time.GetUtcNow() + LifeOf(answer.Headers.CacheControl));
                return;
            }
            LogFailed(address.Host, "no usable key in the answer");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or Failure)
        {
            LogFailed(address.Host, error.Message);
        }
    }

    private static TimeSpan LifeOf(CacheControlHeaderValue? cache) => cache?.MaxAge is { } age
        ? TimeSpan.FromTicks(Math.Clamp(age.Ticks, ShortestLife.Ticks, LongestLife.Ticks))
        : UsualLife;

    [LoggerMessage(LogLevel.Warning, "The signing keys of {Issuer} could not be read: {Problem}")]
    private partial void LogFailed(string issuer, string problem);

    private sealed record Snapshot(Dictionary<string, SigningKey> Keys, DateTimeOffset FreshUntil);
}
