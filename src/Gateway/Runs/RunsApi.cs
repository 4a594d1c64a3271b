using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Delivery;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Secrets;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>The routes that run agents.</summary>
internal sealed class RunsApi(
    AgentRunner runner, RunPlans plans, RunLimits limits, RunQueue queue,
    RunDelivery delivery, DocumentSeal seal, IOptions<GatewayOptions> options,
    TimeProvider time)
{
    private const string Default = "default";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var runtime = routes.MapGroup("/api/v2/model").WithTags("Runs");
        runtime.MapPost("/chat/completion", ChatAsync).TakesObject().WithSummary("Run an agent, or a model without one");
        runtime.MapPost("/playground/chat/completion/{bridge_id}", PlaygroundAsync).TakesObject().WithSummary("Run a draft of an agent");
    }

    internal static Task<IResult> ChatAsync(GtwyBody body, GtwyCaller caller, HttpContext context, RunsApi runs) =>
        runs.RunAsync(context, caller, body.Members, isPlayground: false);

    internal static Task<IResult> PlaygroundAsync(
        [Microsoft.AspNetCore.Mvc.FromRoute(Name = "bridge_id")] string bridgeId,
        GtwyBody body, GtwyCaller caller, HttpContext context, RunsApi runs)
    {
        body.Members["bridge_id"] = bridgeId;
        return runs.RunAsync(context, caller, body.Members, isPlayground: true);
    }

    private Task<IResult> RunAsync(HttpContext context, GtwyCaller caller, JsonObject body, bool isPlayground) =>
        AnswerAsync(context, wantsStatuses => AnswerAsync(context, caller, body, isPlayground, wantsStatuses));

    /// <summary>Failures in the words that the caller's generation looks for.</summary>
    /// <param name="answer">Is told whether real statuses are wanted.</param>
    internal async Task<IResult> AnswerAsync(HttpContext context, Func<bool, Task<IResult>> answer)
    {
        var wantsStatuses = context.Request.Headers["x-gtwy-errors"] == "v2";
        try
        {
            return await answer(wantsStatuses);
        }
        catch (Failure failure) when (failure.Code == RunInput.WrongField && !wantsStatuses)
        {
            return ValidationError(failure, AgentShape.Of(context.Request, options.Value));
        }
        catch (Failure failure) when (wantsStatuses && !context.Response.HasStarted)
        {
            return Json(RunFailures.Second(failure, context.RequestId()), RunFailures.StatusOf(failure));
        }
    }

    private async Task<IResult> AnswerAsync(HttpContext context, GtwyCaller caller, JsonObject body, bool isPlayground, bool wantsStatuses)
    {
        var input = new RunInput(body);
        // First: what is counted is counted by names that were checked.
        input.Check();
        await limits.TakeAsync(context, caller, input.AgentId, input.ThreadId ?? input.SubThreadId);
        var request = RequestOf(context, caller, input, isPlayground);
        var plan = await plans.FindAsync(request, input, context.RequestAborted);
        if (caller.FolderId is { } folder && plan.Agent is { } agent && agent.FolderId != folder)
        {
            // An embedded user is confined to his folder, and learns of nothing outside.
            throw ConfigurationFailures.AgentMissing();
        }
        var settle = await limits.TakeTokensAsync(context, caller, input.User);
        if (DeliveryOf(plan, request, isPlayground && !body.Is("flag") && !input.IsStream) is { } elsewhere)
        {
            delivery.Check(elsewhere);
            await queue.EnqueueAsync(AgentRunHandler.Queued(request, elsewhere), context.RequestAborted);
            return Json(new() { ["success"] = true, ["message"] = "Your response will be sent through configured means." },
                StatusCodes.Status200OK);
        }
        using var place = limits.Enter(caller.OrganizationId);
        if (input.IsStream)
        {
            await StreamAsync(context, request, plan, settle);
            return Results.Empty;
        }
        var result = await runner.RunAsync(request, plan, NoSink.Instance, context.RequestAborted);
        settle?.Invoke(result.Usage.Total);
        context.Response.Headers["x-gtwy-cache"] = result.CacheUse;
        return wantsStatuses && result.Failure is { } failure
            ? Json(RunFailures.Second(failure, context.RequestId()), RunFailures.StatusOf(failure))
            : Json(result.Response, result.Status);
    }

    private RunRequest RequestOf(HttpContext context, GtwyCaller caller, RunInput input, bool isPlayground) => new()
    {
        OrganizationId = caller.OrganizationId,
        Caller = RunCaller.Of(caller),
        Body = input.Body,
        AgentId = input.AgentId,
        VersionId = input.Body.Name("version_id"),
        IsPlayground = isPlayground,
        MessageId = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
        RequestId = context.RequestId(),
        Cache = WishOf(context.Request),
    };

    private static CacheWish WishOf(HttpRequest request) => new(
        request.Headers["x-gtwy-cache"] == "off"
        || request.Headers.CacheControl.ToString().Contains("no-store", StringComparison.OrdinalIgnoreCase),
        int.TryParse(request.Headers["x-gtwy-cache-ttl"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, ResponseCache.MaxTimeToLive.TotalSeconds))
            : null);

    private async Task StreamAsync(HttpContext context, RunRequest request, RunPlan plan, Action<long>? settle)
    {
        await using var stream = new RunStream(context, options.Value.Timeouts, time);
        try
        {
            var result = await runner.RunAsync(request, plan, stream, stream.Ended);
            settle?.Invoke(result.Usage.Total);
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

    /// <summary>
    /// Where the answer goes when not into the response: as the request says, else the agent; the editor's answers are pushed.
    /// </summary>
    private JsonObject? DeliveryOf(RunPlan plan, RunRequest request, bool isPushed)
    {
        var wish = plan.Input.Delivery ?? plan.Setting("response_format") as JsonObject ?? plan.Configured("response_format") as JsonObject;
        // Some clients put what the model is to write here, as OpenAI's API calls it.
        if (wish.Name("type") is { } type and not (Default or "text" or "json_object" or "json_schema"))
        {
            var open = (JsonObject)wish!.DeepClone();
            open["cred"] = seal.Opened(open["cred"]);
            return open;
        }
        return !isPushed ? null : new()
        {
            ["type"] = "RTLayer",
            ["cred"] = new JsonObject { ["channel"] = $"{request.Caller.OrgId}_{plan.AgentId}_{plan.VersionId}", ["ttl"] = 1 },
        };
    }

    /// <summary>The two generations had two frameworks, and each its own way of saying what is wrong.</summary>
    private static ContentHttpResult ValidationError(Failure failure, AgentShapeName shape) => Json(
        new()
        {
            ["detail"] = shape == AgentShapeName.Flat ? "Custom error message" : "Validation error",
            ["errors"] = new JsonArray([.. failure.Fields.Select(field => (JsonNode)new JsonObject
            {
                ["loc"] = new JsonArray("body", field.Field), ["msg"] = field.Message, ["type"] = "type_error",
            })]),
        },
        shape == AgentShapeName.Flat ? StatusCodes.Status400BadRequest : StatusCodes.Status422UnprocessableEntity);

    private static ContentHttpResult Json(JsonObject body, int status) =>
        TypedResults.Content(body.Compact(), "application/json", Encoding.UTF8, status);
}
