using System.Text.Json.Nodes;
using Stoa.Gateway.Batches.Native;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Answers;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>
/// Batches of agents: each line is a run without a history. By the batch API of the model's provider where the runs are a question and an
/// answer, else, and where the provider did not answer well, run by run. The results go to a webhook.
/// </summary>
internal sealed class AgentBatches(
    AgentRunner runner, NativeRuns native, KeptAnswers answers, BatchLines lines,
    AgentBatchRows rows, RunDelivery delivery, RunSecrets secrets,
    KeyRing keys, TimeProvider time) : IBatchWay
{
    private const int Tries = 3;

    /// <summary>Of one webhook; a larger result comes in several.</summary>
    private const int MaxWebhook = 6 << 20;

    public async Task<(string Model, string Id)?> BeginAsync(Batch batch, CancellationToken ct)
    {
        await rows.BeginAsync(batch, ct);
        return IsAllowed(batch) ? await native.BeginAsync(batch, AgentBatch.Of(batch, secrets), ct) : null;
    }

    public async Task<NativeState> StateAsync(Batch batch, CancellationToken ct) =>
        IsAllowed(batch) ? await native.StateAsync(batch, AgentBatch.Of(batch, secrets), ct) : NativeState.Of(NativeProgress.Failed);

    public Task CancelAsync(Batch batch, CancellationToken ct) => native.CancelAsync(batch, AgentBatch.Of(batch, secrets), ct);

    public Task CollectAsync(Batch batch, NativeState state, CancellationToken ct) =>
        native.CollectAsync(batch, AgentBatch.Of(batch, secrets), state, ct);

    public async Task<InnerAnswer?> AnswerAsync(Batch batch, BatchLine line, CancellationToken ct)
    {
        var request = AgentBatch.Of(batch, secrets).RunOf(line);
        // A run that was over when a crash came is not run again.
        if (await answers.FindAsync(batch.OrganizationId, request.MessageId, ct) is { } kept)
        {
            return AgentItem.Answered(batch, line, kept);
        }
        for (var tried = 1; ; tried++)
        {
            if (!IsAllowed(batch))
            {
                return AgentItem.Failed(batch, line, "The API key was revoked or has expired", 401);
            }
            var (answer, failure) = await RunAsync(batch, line, request, ct);
            if (failure?.Kind == FailureKind.TooMany)
            {
                return null;
            }
            if (failure?.Kind is not (FailureKind.Overloaded or FailureKind.Upstream or FailureKind.Timeout or FailureKind.Unavailable)
                || tried == Tries)
            {
                return answer;
            }
            await Task.Delay(TimeSpan.FromSeconds(tried), time, ct);
        }
    }

    public async Task FinishAsync(Batch batch, BatchStatus end, CancellationToken ct)
    {
        await rows.GiveUpAsync(batch, end, ct);
        var whole = AgentBatch.Of(batch, secrets);
        var (items, size, part) = (new JsonArray(), 0, 0);
        await foreach (var result in lines.ResultsAsync(batch.Id, ct))
        {
            if (size + result.Body.Length > MaxWebhook && items.Count > 0)
            {
                await SendAsync(hasMore: true);
            }
            items.Add(result.Status is null ? AgentItem.Unanswered(batch, result.CustomId, end) : JsonNode.Parse(result.Body.Span));
            size += result.Body.Length;
        }
        await SendAsync(hasMore: false);
        batch.Secrets = null;

        async Task SendAsync(bool hasMore)
        {
            var payload = PayloadOf(items, batch.Completed > 0, whole.Run, hasMore);
            await delivery.DeliverAsync(batch.OrganizationId, whole.Receiver, payload, part == 0 ? batch.Id : $"{batch.Id}-{part}", ct);
            (items, size, part) = ([], 0, part + 1);
        }
    }

    /// <summary>Whether whoever started it still may: his key lives, or it was a person.</summary>
    private bool IsAllowed(Batch batch) => batch.KeyId == Guid.Empty || keys.FindLive(batch.KeyId, batch.KeyPrefix) is not null;

    private async Task<(InnerAnswer Answer, Failure? Failure)> RunAsync(
        Batch batch, BatchLine line, RunRequest request, CancellationToken ct)
    {
        try
        {
            var result = await runner.RunAsync(request, NoSink.Instance, ct);
            return (AgentItem.Of(batch, line, result), result.Failure);
        }
        catch (Failure failure)
        {
            // It could not begin.
            return (AgentItem.Failed(batch, line, failure.Message, RunFailures.StatusOf(failure)), failure);
        }
    }

    private static JsonObject PayloadOf(JsonArray items, bool isSuccess, RunRequest run, bool hasMore)
    {
        var payload = new JsonObject
        {
            [isSuccess ? "response" : "error"] = items,
            ["success"] = isSuccess,
            ["variables"] = run.Body.Object("variables")?.DeepClone() ?? new JsonObject(),
        };
        if (hasMore)
        {
            payload["has_more"] = true;
        }
        return payload;
    }
}
