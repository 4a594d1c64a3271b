using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Stoa.Gateway.Idempotency;

/// <summary>
/// Takes down an answer while it is written. A stream goes on to the client as it comes; anything else waits here until it is kept.
/// </summary>
internal sealed class AnswerRecord(HttpResponse response, IHttpResponseBodyFeature client) : PipeWriter, IHttpResponseBodyFeature
{
    private static readonly byte[][] Ends =
    [
        "data: [DONE]\n"u8.ToArray(), "event: message_stop\n"u8.ToArray(), "event: response.completed\n"u8.ToArray(),
        "event: response.incomplete\n"u8.ToArray(),
    ];

    private readonly ArrayBufferWriter<byte> written = new(1_024);
    private Stream? stream;
    private int sent;

    public ReadOnlyMemory<byte> Written => written.WrittenMemory;

    public bool IsStream => response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true;

    /// <summary>Whether a stream has come to its dialect's end, rather than to a failure.</summary>
    public bool IsWhole => !IsStream || Array.Exists(Ends, end => Written.Span.LastIndexOf(end) >= 0);

    public Stream Stream => stream ??= AsStream(leaveOpen: true);

    public PipeWriter Writer => this;

    /// <summary>Sends what was held back.</summary>
    public async Task SendAsync(CancellationToken ct)
    {
        client.Writer.Write(Written.Span[sent..]);
        sent = written.WrittenCount;
        await client.Writer.FlushAsync(ct);
    }

    public override void Advance(int bytes) => written.Advance(bytes);

    public override Memory<byte> GetMemory(int sizeHint = 0) => written.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => written.GetSpan(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!IsStream)
        {
            return new(new FlushResult(isCanceled: false, isCompleted: false));
        }
        client.Writer.Write(Written.Span[sent..]);
        sent = written.WrittenCount;
        return client.Writer.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => client.Writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
    }

    public Task StartAsync(CancellationToken cancellationToken = default) =>
        IsStream ? client.StartAsync(cancellationToken) : Task.CompletedTask;

    public Task CompleteAsync() => Task.CompletedTask;

    public void DisableBuffering()
    {
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);
}
