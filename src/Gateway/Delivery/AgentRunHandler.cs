using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Answers;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Delivery;

/// <summary>Runs queued runs of agents, and tells a channel what they do meanwhile.</summary>
internal sealed class AgentRunHandler(AgentRunner runner, KeptAnswers answers, GatewayDb db, PushPublisher push, EditorPushes pages)
    : IRunHandler
{
    public static QueuedRun Queued(RunRequest request, JsonObject responseFormat) => new()
    {
        Id = request.MessageId,
        OrganizationId = request.OrganizationId,
        Request = JsonSerializer.SerializeToNode(request, DeliveryJson.Default.RunRequest)!.AsObject(),
        ResponseFormat = responseFormat,
    };

    public async Task<JsonObject?> FindAnswerAsync(QueuedRun run, CancellationToken ct) =>
        await answers.FindAsync(run.OrganizationId, run.Id, ct) is { } answer ? PayloadOf(answer, RequestOf(run)) : null;

    public async Task<RunOutcome> RunAsync(QueuedRun run, CancellationToken ct)
    {
        var request = RequestOf(run);
        try
        {
            var result = await runner.RunAsync(request, SinkOf(run), ct);
            await TellPagesAsync(run, request, ct);
            return result.Failure is { } failure
                ? new(ErrorOf(result.Response.Text("error") ?? failure.Message, request), MayPass(failure) ? failure.Message : null)
                : result.IsSuccess ? new(PayloadOf(result.Response["response"]?.DeepClone(), request))
                : new(Refused(result.Response, request));
        }
        catch (Failure failure)
        {
            // It could not begin.
            return new(ErrorOf(failure.Message, request), MayPass(failure) ? failure.Message : null);
        }
    }

    /// <summary>Runs that a front end has asked for, which shows them in its history.</summary>
    private async Task TellPagesAsync(QueuedRun run, RunRequest request, CancellationToken ct)
    {
        if (run.ResponseFormat.Object("cred").Name("channel") is not null
            && await db.Runs.AsNoTracking().Where(row => row.OrganizationId == run.OrganizationId && row.MessageId == run.Id)
                .OrderByDescending(row => row.CreatedAt).FirstOrDefaultAsync(ct) is { AgentId.Length: > 0 } row)
        {
            await pages.RunLoggedAsync(row, request.Caller.OrgId, ct);
        }
    }

    private static RunRequest RequestOf(QueuedRun run) => run.Request.Deserialize(DeliveryJson.Default.RunRequest) is { } request
        ? request with { PushChannel = run.ResponseFormat.Object("cred").Name("channel") }
        : throw new JsonException("The queued run has no request");

    private IRunSink SinkOf(QueuedRun run) => run.ResponseFormat.Object("cred").Name("channel") is { } channel
        ? new ChannelSink(push, run.OrganizationId, channel, run.ResponseFormat.Object("cred").Name("apikey"))
        : NoSink.Instance;

    private static bool MayPass(Failure failure) => failure.Kind
        is FailureKind.TooMany or FailureKind.Overloaded or FailureKind.Upstream or FailureKind.Timeout or FailureKind.Unavailable;

    private static JsonObject PayloadOf(JsonNode? response, RunRequest request) => new()
    {
        ["response"] = response, ["success"] = true, ["variables"] = VariablesOf(request),
    };

    private static JsonObject ErrorOf(string error, RunRequest request) => new()
    {
        ["error"] = error, ["success"] = false, ["variables"] = VariablesOf(request),
    };

    /// <summary>What guardrails refused is a response that is no success.</summary>
    private static JsonObject Refused(JsonObject response, RunRequest request)
    {
        var payload = (JsonObject)response.DeepClone();
        payload["variables"] = VariablesOf(request);
        return payload;
    }

    private static JsonNode VariablesOf(RunRequest request) => request.Body.Object("variables")?.DeepClone() ?? new JsonObject();
}

/// <summary>Tells a channel which tools are called, and that they are done.</summary>
internal sealed class ChannelSink(PushPublisher push, Guid organizationId, string channel, string? apiKey) : IRunSink
{
    public bool IsStream => false;

    public async ValueTask TellAsync(RunStep step, CancellationToken ct)
    {
        var said = step switch
        {
            RunStep.ToolCall call => new JsonObject { ["function_call"] = true, ["Name"] = new JsonArray(call.Name) },
            RunStep.ToolResult => new JsonObject { ["function_call"] = true, ["success"] = true, ["message"] = "Continuing AI reasoning…" },
            _ => null,
        };
        if (said is null)
        {
            return;
        }
        try
        {
            await push.PublishAsync(
                organizationId, channel, new JsonObject { ["response"] = said, ["success"] = true }.Compact(), ttlSeconds: 0, apiKey, ct);
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            // A word on the way; the run goes on without it.
        }
    }
}
