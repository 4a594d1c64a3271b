using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Runs.Answers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>Puts a run into the form in which it waits, and runs it when its turn has come. The queue repeats it and delivers the answer.</summary>
internal sealed class QueuedRunHandler(AgentRunner runner, GatewayDb db) : IRunHandler
{
    public static QueuedRun Queued(RunRequest request, JsonObject delivery) => new()
    {
        Id = request.MessageId,
        OrganizationId = request.OrganizationId,
        ResponseFormat = (JsonObject)delivery.DeepClone(),
        Request = new()
        {
            ["body"] = request.Body.DeepClone(),
            ["agent_id"] = request.AgentId,
            ["version_id"] = request.VersionId,
            ["is_playground"] = request.IsPlayground,
            ["request_id"] = request.RequestId,
            ["org_id"] = request.Caller.OrgId,
            ["user_id"] = request.Caller.UserId,
            ["key_id"] = request.Caller.KeyId?.ToString(),
            ["folder_id"] = request.Caller.FolderId,
            ["is_embed"] = request.Caller.IsEmbed,
        },
    };

    public async Task<JsonObject?> FindAnswerAsync(QueuedRun run, CancellationToken ct)
    {
        var row = await db.Runs.AsNoTracking()
            .Where(row => row.OrganizationId == run.OrganizationId && row.MessageId == run.Id && row.IsSuccess)
            .FirstOrDefaultAsync(ct);
        return row is null ? null : Payload(run, StandardAnswer.Of(row), error: null);
    }

    public async Task<RunOutcome> RunAsync(QueuedRun run, CancellationToken ct)
    {
        try
        {
            var result = await runner.RunAsync(RequestOf(run), NoSink.Instance, ct);
            var error = result.Response.Text("error") ?? result.Failure?.Message;
            return new(
                Payload(run, result.Response.Object("response"), result.IsSuccess || result.Failure is null ? null : error ?? "The run has failed"),
                result.Failure is { } failure && MayPass(failure) ? failure.Message : null);
        }
        catch (Failure failure)
        {
            return new(Payload(run, answer: null, failure.Message), MayPass(failure) ? failure.Message : null);
        }
    }

    private static RunRequest RequestOf(QueuedRun run)
    {
        var request = run.Request;
        return new()
        {
            OrganizationId = run.OrganizationId,
            Caller = new(
                request.Text("org_id") ?? run.OrganizationId.ToString(), request.Text("user_id"),
                Guid.TryParse(request.Text("key_id"), out var key) ? key : null, request.Text("folder_id"), request.Is("is_embed")),
            Body = (JsonObject?)request.Object("body")?.DeepClone() ?? [],
            AgentId = request.Text("agent_id"),
            VersionId = request.Text("version_id"),
            IsPlayground = request.Is("is_playground"),
            MessageId = run.Id,
            RequestId = request.Text("request_id") ?? run.Id,
        };
    }

    private static JsonObject Payload(QueuedRun run, JsonObject? answer, string? error)
    {
        var payload = new JsonObject();
        if (error is null)
        {
            payload["response"] = answer?.DeepClone();
        }
        else
        {
            payload["error"] = error;
        }
        payload["success"] = error is null;
        payload["variables"] = run.Request.Object("body").Object("variables")?.DeepClone() ?? new JsonObject();
        return payload;
    }

    private static bool MayPass(Failure failure) => failure.Kind is FailureKind.TooMany or FailureKind.Overloaded or FailureKind.Timeout
        or FailureKind.Unavailable or FailureKind.Conflict or FailureKind.Internal or FailureKind.Upstream && failure.Code != "upstream_authentication";
}
