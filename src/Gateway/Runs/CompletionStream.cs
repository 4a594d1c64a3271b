using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>A run as the stream of a model API: its text and its end. What its tools do stays here.</summary>
internal sealed class CompletionStream : IRunSink, IAsyncDisposable
{
    private readonly ClientStream client;
    private readonly IChatStreamWriter writer;
    private readonly string model;
    private readonly CancellationTokenSource ended;
    private readonly PooledBytes output = new(1_024);
    private int letters;
    private bool isBegun;

    public CompletionStream(HttpContext context, IChatStreamWriter writer, string model, TimeoutOptions timeouts, TimeProvider time)
    {
        (this.writer, this.model) = (writer, model);
        client = new(context, exchange: null, timeouts, writer.KeepAlive, time);
        ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
    }

    /// <summary>Keeps the answer before its end leaves: it is given the last events.</summary>
    public Func<ReadOnlyMemory<byte>, Task>? Keep { get; init; }

    public bool IsStream => true;

    public bool HasStarted => client.HasStarted;

    /// <summary>Fires when the client leaves.</summary>
    public CancellationToken Ended => ended.Token;

    public async ValueTask TellAsync(RunStep step, CancellationToken ct)
    {
        switch (step)
        {
            case RunStep.Delta delta:
                letters += delta.Text.Length;
                await SendAsync(new ChatEvent.TextDelta(0, delta.Text));
                break;
            case RunStep.Done { Result: { Failure: { } failure } } when !HasStarted:
                throw failure;
            case RunStep.Done { Result: { Failure: { } failure } }:
                await FailAsync(failure);
                break;
            case RunStep.Done { Result: var result } when !isBegun || !result.IsSuccess:
                // An answer that was held back until it was checked, or what is said in its place.
                letters += result.Content.Length;
                await SendAsync(new ChatEvent.TextDelta(0, result.Content));
                await EndAsync(result);
                break;
            case RunStep.Done { Result: var result }:
                await EndAsync(result);
                break;
        }
    }

    public ValueTask FailAsync(Failure failure) => SendAsync(new ChatEvent.Failed(failure), new ChatEvent.End());

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        ended.Dispose();
        output.Dispose();
    }

    private ValueTask EndAsync(RunResult result) => SendAsync(
    [
        // What was said before tools were called stands before the content, and is no part of it.
        .. AgentCompletions.CitationsOf(result)
        .Select(citation => new ChatEvent.Cited(0, citation.MovedBy(letters - result.Content.Length))),
        new ChatEvent.Finish(result.IsSuccess ? AgentCompletions.ReasonOf(result) : FinishReason.ContentFilter),
        new ChatEvent.Usage(result.Usage),
        new ChatEvent.End(),
    ]);

    private async ValueTask SendAsync(params ChatEvent[] steps)
    {
        output.Clear();
        if (!isBegun)
        {
            isBegun = true;
            writer.Write(new ChatEvent.Start("", model), output);
        }
        foreach (var step in steps)
        {
            writer.Write(step, output);
        }
        if (Keep is not null && steps is [.., ChatEvent.Usage, ChatEvent.End])
        {
            await Keep(output.Memory);
        }
        if (output.Length > 0 && !await client.SendAsync(output.Memory))
        {
            await ended.CancelAsync();
            ended.Token.ThrowIfCancellationRequested();
        }
    }
}
