using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>Takes a batch of messages to an agent, or to a model without one.</summary>
internal sealed class StartBatch(
    BatchStore batches, RunPlans plans, RunLimits limits, RunDelivery delivery, RunSecrets secrets, TimeProvider time)
{
    private const int MaxLines = 50_000;

    /// <summary>What belongs to the batch as a whole, or to runs that somebody waits for.</summary>
    private static readonly string[] NotOfRuns =
        ["batch", "batch_variables", "webhook", "stream", "is_stream", "suggest", "thread_flag", "orchestrator_flag"];

    /// <returns>The batch and its lines, committed together with the job that does them.</returns>
    /// <exception cref="Failure">It cannot be run, or its results cannot be delivered; nothing was kept.</exception>
    public async Task<(Batch Batch, IReadOnlyList<AgentLine> Lines)> RunAsync(
        HttpContext context, GtwyCaller caller, JsonObject body, CancellationToken ct)
    {
        var input = new RunInput(body);
        await limits.TakeAsync(context, caller, input.AgentId, input.ThreadId ?? input.SubThreadId);
        input.Check();
        var receiver = ReceiverOf(body);
        delivery.Check(receiver);
        var lines = LinesOf(body);
        var request = new RunRequest
        {
            OrganizationId = caller.OrganizationId,
            Caller = RunCaller.Of(caller),
            Body = body,
            AgentId = input.AgentId,
            MessageId = "",
            RequestId = context.RequestId(),
        };
        var plan = await plans.FindAsync(request, input, ct);
        if (caller.Key is { } key && !CallGate.MayUse(key, plan.Choice.Target))
        {
            throw Failure.Forbidden($"This key may not use the model {plan.Choice.Target.FullName}");
        }
        var batch = batches.Make(BatchKind.Gtwy, caller.OrganizationId, caller.Key, InnerCalls.Chat) with
        {
            Total = lines.Count,
            Document = new()
            {
                ["agent_id"] = plan.AgentId,
                ["version_id"] = plan.VersionId,
                ["service"] = plan.Choice.Service.Name,
                ["model"] = plan.Choice.Model,
            },
        };
        Pin(body, plan);
        new AgentBatch(request with { BatchId = batch.Id }, receiver).Keep(batch, secrets);
        var written = lines.Select((line, index) => line.ToLine(index + 1)).ToList();
        await batches.AddAsync(batch, written, ct, AddRowsAsync);
        return (batch, lines);

        Task AddRowsAsync(NpgsqlConnection connection) => AgentBatchRows.AddAsync(connection, batch, plan, input, lines, ct);
    }

    private static JsonObject ReceiverOf(JsonObject body) => body.Object("webhook") is { } webhook && webhook.Name("url") is not null
        ? new() { ["type"] = "webhook", ["cred"] = webhook.DeepClone() }
        : throw Failure.Invalid("webhook is required", "webhook", "webhook_missing");

    private List<AgentLine> LinesOf(JsonObject body)
    {
        var messages = body.List("batch");
        var variables = body["batch_variables"] is null ? null
            : body.List("batch_variables") is { } list && (messages is null or { Count: 0 } || list.Count == messages.Count)
                && list.All(item => item is null or JsonObject)
                ? list
                : throw Failure.Invalid("batch_variables must be an array of the same length as batch", "batch_variables");
        var user = body.Text("user") ?? "";
        // Without messages of their own the lines are one message with different variables.
        var texts = messages is { Count: > 0 } ? messages.Select(TextOf) : (variables ?? []).Select(_ => user);
        var now = time.GetUtcNow();
        var lines = texts
            .Select((text, index) => new AgentLine(Guid.CreateVersion7(now).ToString(), text, variables?[index]?.DeepClone().AsObject()))
            .ToList();
        return lines switch
        {
            { Count: 0 } => throw Failure.Invalid("batch is required", "batch"),
            { Count: > MaxLines } => throw Failure.Invalid($"A batch may have at most {MaxLines} messages", "batch", "too_many_requests"),
            _ when lines.FindIndex(line => line.Text.Length == 0) is >= 0 and var at =>
                throw Failure.Invalid($"batch.{at} must be a text", $"batch.{at}"),
            _ => lines,
        };
    }

    private static string TextOf(JsonNode? message) => message.AsText() ?? "";

    /// <summary>
    /// All lines run with the version and model of now. None of them reads or goes on with a conversation, since they have no order.
    /// </summary>
    private static void Pin(JsonObject body, RunPlan plan)
    {
        foreach (var name in NotOfRuns)
        {
            body.Remove(name);
        }
        body["service"] = plan.Choice.Service.Name;
        MemberOf(body, "configuration")["model"] = plan.Choice.Document.ModelName;
        MemberOf(body, "settings")["stateless_conversation"] = true;
        if (plan.VersionId is { } version)
        {
            body["version_id"] = version;
        }
    }

    private static JsonObject MemberOf(JsonObject body, string name)
    {
        if (body.Object(name) is not { } member)
        {
            body[name] = member = [];
        }
        return member;
    }
}
