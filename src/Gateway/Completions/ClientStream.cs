using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Completions;

/// <summary>
/// The client's side of a streamed answer. The head goes out with the first event, or after ten seconds without one; silence is
/// filled with keep-alives; a provider that is silent or at work for too long is given up.
/// </summary>
internal sealed class ClientStream : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan HeadAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAliveAfter = TimeSpan.FromSeconds(15);

    private readonly HttpContext context;
    private readonly PipeWriter writer;
    private readonly ProviderExchange? exchange;
    private readonly TimeoutOptions timeouts;
    private readonly Action<IBufferWriter<byte>> keepAlive;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly ITimer timer;
    private readonly long started;
    private long lastEvent;
    private long lastWrite;

    public ClientStream(
        HttpContext context, ProviderExchange? exchange, TimeoutOptions timeouts, Action<IBufferWriter<byte>> keepAlive, TimeProvider time)
    {
        this.context = context;
        this.exchange = exchange;
        this.timeouts = timeouts;
        this.keepAlive = keepAlive;
        this.time = time;
        writer = context.Response.BodyWriter;
        started = lastEvent = lastWrite = time.GetTimestamp();
        exchange?.ExtendDeadline(Timeout.InfiniteTimeSpan);
        timer = time.CreateTimer(static stream => ((ClientStream)stream!).LookAround(), this, Look, Look);
    }

    /// <summary>True once the client has an answer's head; from then on a failure has to be told in the stream.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Says that the provider sent an event, as opposed to a comment that only keeps its connection open.</summary>
    public void Heard() => Volatile.Write(ref lastEvent, time.GetTimestamp());

    /// <summary>Sends bytes at once, waiting while the client is slow. False when the client has left.</summary>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await turn.WaitAsync(context.RequestAborted);
        try
        {
            Start();
            writer.Write(bytes.Span);
            var isThere = await FlushAsync();
            // A slow client is no silent provider: its silence counts from here.
            Heard();
            return isThere;
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        turn.Dispose();
    }

    /// <summary>Stops keep-alives, so that whoever handles a failure alone decides what is sent.</summary>
    public ValueTask QuietAsync() => timer.DisposeAsync();

    private void Start()
    {
        if (HasStarted)
        {
            return;
        }
        HasStarted = true;
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["x-accel-buffering"] = "no";
    }

    private async ValueTask<bool> FlushAsync()
    {
        var flush = await writer.FlushAsync(context.RequestAborted);
        lastWrite = time.GetTimestamp();
        return !flush.IsCompleted && !flush.IsCanceled;
    }

    private void LookAround()
    {
        var isSending = turn.CurrentCount == 0;
        if ((!isSending && time.GetElapsedTime(Volatile.Read(ref lastEvent)).TotalMilliseconds > timeouts.IdleMs)
            || time.GetElapsedTime(started).TotalMilliseconds > timeouts.TotalMs)
        {
            exchange?.Cancel();
        }
        else if (time.GetElapsedTime(lastWrite) >= (HasStarted ? KeepAliveAfter : HeadAfter) && turn.Wait(0))
        {
            _ = KeepAliveAsync();
        }
    }

    private async Task KeepAliveAsync()
    {
        try
        {
            Start();
            keepAlive(writer);
            await FlushAsync();
        }
        catch (OperationCanceledException)
        {
            // The client left; whoever reads from the provider hears of it too.
        }
        finally
        {
            turn.Release();
        }
    }
}
