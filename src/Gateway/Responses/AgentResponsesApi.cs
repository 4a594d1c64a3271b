using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Dialects.Gtwy;
using Stoa.Gateway.Dialects.OpenAiResponses;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Responses;

/// <summary>Agents behind OpenAI's Responses API on GTWY's own wire: its callers, whose <c>model</c> is an agent's id.</summary>
internal static class AgentResponsesApi
{
    public static void MapAgentResponses(this IEndpointRouteBuilder runtime) =>
        runtime.MapPost("/api/v2/model/openai/responses", AnswerAsync)
        .TakesObject().WithTags("Runs").WithSummary("Run an agent, in the words of OpenAI's Responses API");

    internal static async Task AnswerAsync(
        GtwyBody body, GtwyCaller caller, HttpContext context, AgentCompletions agents,
        ResponsesApi responses, RunPlans plans, RunLimits limits)
    {
        using var sent = new PooledBytes(4_096);
        var json = JsonOutput.Open(sent);
        body.Members.WriteTo(json);
        JsonOutput.Close(json);
        var outline = RequestOutline.Read(sent.Span);
        var wish = ResponseWish.Read(sent.Span, outline.IsStream);
        if (wish.Background)
        {
            throw Failure.Invalid("A response in the background is asked for at /v1/responses", "background", "unsupported_parameter");
        }
        using var ask = await responses.OpenAsync(caller.OrganizationId, sent, wish, context.RequestAborted);
        var request = ResponsesDialect.Instance.ReadRequest(ask.Body.Memory);
        var run = agents.RequestOf(request, caller.OrganizationId, RunCaller.Of(caller), context.RequestId());
        var input = new RunInput(run.Body);
        input.Check();
        await limits.TakeAsync(context, caller, run.AgentId, input.ThreadId ?? input.SubThreadId);
        var plan = await plans.FindAsync(run, input, context.RequestAborted);
        if (caller.FolderId is { } folder && plan.Agent?.FolderId != folder)
        {
            throw ConfigurationFailures.AgentMissing();
        }
        var settle = await limits.TakeTokensAsync(context, caller, input.User);
        using var place = limits.Enter(caller.OrganizationId);
        if (await agents.AnswerAsync(context, ResponsesDialect.Instance, run, plan, request, ask.Keep) is { } used)
        {
            settle?.Invoke(used);
        }
    }
}
