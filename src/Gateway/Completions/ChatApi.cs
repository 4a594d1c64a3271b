using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Completions;

/// <summary>The two chat routes. Both stay on the event thread: they pass bytes on, and do what takes longer elsewhere.</summary>
internal sealed class ChatApi(
    CallGate gate, CallTargets targets, CallFrame frame, CallCache cache, RawForward forward,
    Translation translation, AgentCompletions agents, TimeProvider time)
{
    public static readonly Surface OpenAi = new(
        "openai.chat", "chat", Dialect.OpenAi, _ => OpenAiDialect.Instance, OpenAiRaw.Instance, OpenAiErrors.Instance, LimitHeaders.OpenAi);

    public static readonly Surface Anthropic = new(
        "anthropic.messages", "chat", Dialect.Anthropic, request => AnthropicDialect.Of(request.Headers["anthropic-version"]),
        AnthropicRaw.Instance, AnthropicErrors.Instance, LimitHeaders.Anthropic);

    /// <summary>Larger requests are taken apart on the pool, and so is the demo's work: the event thread serves all connections.</summary>
    private const int MaxBytesOnEventThread = 64 << 10;

    public static void MapOpenAi(IEndpointRouteBuilder routes) => Map(routes, "/chat/completions", OpenAi)
        .WithTags("Chat").WithSummary("Answer a conversation, in OpenAI's dialect")
        .Accepts<ChatSchema.OpenAiRequest>("application/json");

    public static void MapAnthropic(IEndpointRouteBuilder routes) => Map(routes, "/messages", Anthropic)
        .WithTags("Chat").WithSummary("Answer a conversation, in Anthropic's dialect")
        .Accepts<ChatSchema.AnthropicRequest>("application/json");

    private static RouteHandlerBuilder Map(IEndpointRouteBuilder routes, string path, Surface surface)
    {
        // Not before the first call: mapping routes opens no files. As a parameter of the handler it would cost a scope per call.
        var chat = new Lazy<ChatApi>(routes.ServiceProvider.GetRequiredService<ChatApi>);
        return routes.MapPost(path, (Delegate)((HttpContext context) => chat.Value.CompleteAsync(context, surface))).StayOnEventThread();
    }

    /// <summary>A call from its arrival on: who calls, what model, may they; then its answer, in the frame that all calls have.</summary>
    public async Task CompleteAsync(HttpContext context, Surface surface)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        if (AgentCompletions.IsAgent(outline.ModelName(body.Span)))
        {
            await RunAgentAsync(context, surface, key, body, outline.EstimatedInput + outline.MaxOutput);
            return;
        }
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(body.Span), wishes);
        var route = targets.RouteOf(key, target, wishes);
        var first = route?.First ?? target;
        var endpoint = ProviderEndpoint.Of(first.Provider, surface.Dialect, context.Request);
        var admission = await gate.AdmitAsync(context, surface.Limits, key, outline.EstimatedInput + outline.MaxOutput);
        var call = new GatewayCall(surface, key, first, outline, admission, context.RequestId(), started)
        {
            Endpoint = endpoint, Route = route, Wishes = wishes,
        };
        Task AskAsync() => AnswerAsync(context, call, body, outline);
        await (CallCache.IsWanted(context.Request, outline)
            ? frame.RecordAsync(
                context, call,
                () => cache.AnswerAsync(context, call, body, () => frame.AskAsync(context, call, outline.MaxOutput, AskAsync)))
            : frame.RunAsync(context, call, outline.MaxOutput, AskAsync));
    }

    /// <summary>Where client and provider speak the same dialect the bytes are forwarded, else they are translated.</summary>
    private Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body, RequestOutline outline)
    {
        var provider = call.Target.Provider;
        if (call.Endpoint == call.Surface.Dialect && provider.Kind.Traits.Forwards)
        {
            return forward.AnswerAsync(context, call, body, outline);
        }
        return provider.Client is not null && body.Length <= MaxBytesOnEventThread
            ? translation.AnswerAsync(context, call, body)
            : TranslateOnPoolAsync(context, call, body);
    }

    private Task RunAgentAsync(HttpContext context, Surface surface, ApiKey key, PooledBytes body, long expectedTokens) =>
        EventThread.RunOnPool(() => agents.AnswerAsync(context, surface, key, body, expectedTokens));

    private Task TranslateOnPoolAsync(HttpContext context, GatewayCall call, PooledBytes body) =>
        EventThread.RunOnPool(() => translation.AnswerAsync(context, call, body));
}
