using Stoa.Gateway.Bytes;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Providers;

/// <summary>An answer whose head has arrived. Reads it within the deadline; disposing it ends the call to the provider.</summary>
internal sealed class ProviderExchange(HttpResponseMessage response, CancellationTokenSource deadline, CancellationToken clientGone)
    : IDisposable
{
    /// <summary>The largest answer that is not a stream.</summary>
    private const int MaxAnswerBytes = 64 << 20;

    private readonly Stream body = response.Content.ReadAsStream(CancellationToken.None);

    public string? ContentType =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var value) ? value.ToString() : null;

    /// <summary>Whether the answer is a stream by its own word; one that does not say is taken for what was asked.</summary>
    public bool IsEventStream => ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) ?? true;

    /// <summary>Replaces the running deadline by a new one that starts now.</summary>
    public void ExtendDeadline(TimeSpan time) => deadline.CancelAfter(time);

    /// <summary>Gives up on the provider at once, as if the time were up.</summary>
    public void Cancel() => deadline.Cancel();

    /// <summary>The next bytes of the answer; 0 at its end.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer) => body.ReadAsync(buffer, deadline.Token);

    /// <summary>The answer as a stream, for files; it has the exchange's deadline only as far as its reader keeps one.</summary>
    public Stream Body => body;

    /// <summary>The whole answer.</summary>
    /// <exception cref="Failure">It broke off, took too long, or is larger than any answer should be.</exception>
    public async ValueTask<PooledBytes> ReadAllAsync()
    {
        try
        {
            return await ReadAsync(response, MaxAnswerBytes, isLimit: true, deadline.Token);
        }
        catch (Exception failure) when (failure is not Failure && !clientGone.IsCancellationRequested)
        {
            throw ProviderFaults.Of(failure);
        }
    }

    public void Dispose()
    {
        response.Dispose();
        deadline.Dispose();
    }

    /// <param name="isLimit">Whether more than <paramref name="maxBytes"/> is a failure; otherwise the rest is left unread.</param>
    public static async ValueTask<PooledBytes> ReadAsync(HttpResponseMessage response, int maxBytes, bool isLimit, CancellationToken ct)
    {
        var stream = response.Content.ReadAsStream(ct);
        var expected = response.Content.Headers.ContentLength ?? 0;
        var bytes = new PooledBytes((int)Math.Clamp(expected + 1, 4_096, maxBytes));
        try
        {
            while (bytes.Length < maxBytes)
            {
                var count = await stream.ReadAsync(bytes.Free(), ct);
                if (count == 0)
                {
                    return bytes;
                }
                bytes.Add(count);
            }
            return isLimit ? throw ProviderFaults.InvalidAnswer("The provider's answer is too large") : bytes;
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }
}
