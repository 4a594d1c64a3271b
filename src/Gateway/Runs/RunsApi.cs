using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>The routes that run agents.</summary>
internal sealed class RunsApi(AgentRunner runner, RunPlans plans, RunLimits limits, RunQueue queue, RunDelivery delivery, IOptions<GatewayOptions> options, TimeProvider time)
{
    private const string Default = "default";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var runtime = routes.MapGroup("/api/v2/model").WithTags("Runs");
        runtime.MapPost("/chat/completion", ChatAsync).WithSummary("Run an agent, or a model without one");
        runtime.MapPost("/playground/chat/completion/{bridge_id}", PlaygroundAsync).WithSummary("Run a draft of an agent");
    }

    internal static Task<IResult> ChatAsync(GtwyBody body, Tenant tenant, HttpContext context, RunsApi runs) =>
        runs.RunAsync(context, tenant, body.Members, isPlayground: false);

    internal static Task<IResult> PlaygroundAsync(
        [Microsoft.AspNetCore.Mvc.FromRoute(Name = "bridge_id")] string bridgeId, GtwyBody body, Tenant tenant, HttpContext context, RunsApi runs)
    {
        body.Members["bridge_id"] = bridgeId;
        return runs.RunAsync(context, tenant, body.Members, isPlayground: true);
    }

    private async Task<IResult> RunAsync(HttpContext context, Tenant tenant, JsonObject body, bool isPlayground)
    {
        var wantsStatuses = context.Request.Headers["x-gtwy-errors"] == "v2";
        try
        {
            return await AnswerAsync(context, tenant, body, isPlayground, wantsStatuses);
        }
        catch (Failure failure) when (wantsStatuses && !context.Response.HasStarted)
        {
            return Json(RunFailures.Second(failure, context.RequestId()), RunFailures.StatusOf(failure));
        }
    }

    private async Task<IResult> AnswerAsync(HttpContext context, Tenant tenant, JsonObject body, bool isPlayground, bool wantsStatuses)
    {
        var input = new RunInput(body);
        await limits.TakeAsync(context, tenant.OrganizationId, input.AgentId, input.ThreadId ?? input.SubThreadId);
        var request = new RunRequest
        {
            OrganizationId = tenant.OrganizationId,
            Caller = new(tenant.Caller.OrgId, tenant.Caller.UserId, tenant.Caller.Key?.Id, tenant.Caller.FolderId, tenant.Caller.IsEmbed),
            Body = body,
            AgentId = input.AgentId,
            VersionId = body.Name("version_id"),
            IsPlayground = isPlayground,
            MessageId = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            RequestId = context.RequestId(),
        };
        input.Check();
        var plan = await plans.FindAsync(request, input, context.RequestAborted);
        if (FormatOf(input, plan, request) is { } format)
        {
            delivery.Check(format);
            await queue.EnqueueAsync(AgentRunHandler.Queued(request, format), context.RequestAborted);
            return Json(new() { ["success"] = true, ["message"] = "Your response will be sent through configured means." }, StatusCodes.Status200OK);
        }
        if (input.IsStream)
        {
            await StreamAsync(context, request);
            return Results.Empty;
        }
        var result = await runner.RunAsync(request, NoSink.Instance, context.RequestAborted);
        return wantsStatuses && result.Failure is { } failure
            ? Json(RunFailures.Second(failure, context.RequestId()), RunFailures.StatusOf(failure))
            : Json(result.Response, result.Status);
    }

    private async Task StreamAsync(HttpContext context, RunRequest request)
    {
        await using var stream = new RunStream(context, options.Value.Timeouts, time);
        try
        {
            await runner.RunAsync(request, stream, stream.Ended);
        }
        catch (Failure failure) when (stream.HasStarted)
        {
            await stream.FailAsync(failure);
        }
        catch (OperationCanceledException) when (stream.Ended.IsCancellationRequested)
        {
            // The client has left; the run is logged.
        }
    }

    /// <summary>How the answer is delivered later; null when it is the response itself. Whoever edits an agent listens to its channel.</summary>
    private static JsonObject? FormatOf(RunInput input, RunPlan plan, RunRequest request)
    {
        if (request.IsPlayground)
        {
            return input.Body.Is("flag") || input.IsStream ? null : new()
            {
                ["type"] = "RTLayer",
                ["cred"] = new JsonObject { ["channel"] = $"{request.Caller.OrgId}_{plan.AgentId}_{plan.VersionId}", ["ttl"] = 1 },
            };
        }
        var format = input.Delivery ?? plan.Setting("response_format") as JsonObject ?? plan.Configured("response_format") as JsonObject;
        // Some clients put what the model is to write here, as OpenAI's API calls it.
        return format.Name("type") is null or Default or "text" or "json_object" or "json_schema" ? null : format;
    }

    private static ContentHttpResult Json(JsonObject body, int status) =>
        TypedResults.Content(body.Compact(), "application/json", Encoding.UTF8, status);
}
