using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Wires.Anthropic;
using Stoa.Gateway.Wires.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>The two chat routes. Both stay on the event thread: they pass bytes on, and do what takes longer elsewhere.</summary>
internal static class ChatApi
{
    public static readonly Surface OpenAi = new(
        "openai.chat", "chat", Wire.OpenAi, _ => OpenAiWire.Instance, OpenAiRaw.Instance, OpenAiErrors.Instance, LimitHeaders.OpenAi);

    public static readonly Surface Anthropic = new(
        "anthropic.messages", "chat", Wire.Anthropic, request => AnthropicWire.Of(request.Headers["anthropic-version"]), AnthropicRaw.Instance, AnthropicErrors.Instance, LimitHeaders.Anthropic);

    public static void MapOpenAiChat(this IEndpointRouteBuilder routes) => routes.MapChat("/chat/completions", OpenAi)
        .WithTags("Chat").WithSummary("Answer a conversation, in OpenAI's dialect")
        .Accepts<ChatSchema.OpenAiRequest>("application/json");

    public static void MapAnthropicChat(this IEndpointRouteBuilder routes) => routes.MapChat("/messages", Anthropic)
        .WithTags("Chat").WithSummary("Answer a conversation, in Anthropic's dialect")
        .Accepts<ChatSchema.AnthropicRequest>("application/json");

    private static RouteHandlerBuilder MapChat(this IEndpointRouteBuilder routes, string path, Surface surface)
    {
        // Not before the first call: mapping routes opens no files. As a parameter of the handler it would cost a scope per call.
        var chat = new Lazy<Chat>(() => ActivatorUtilities.CreateInstance<Chat>(routes.ServiceProvider));
        return routes.MapPost(path, (Delegate)((HttpContext context) => chat.Value.HandleAsync(context, surface))).StayOnEventThread();
    }

    private sealed class Chat(CallPipeline pipeline, RawForward forward, Translation translation)
    {
        /// <summary>Larger requests are taken apart on the pool, and so is the demo's work: the event thread serves all connections.</summary>
        private const int MaxBytesOnEventThread = 64 << 10;

        public Task HandleAsync(HttpContext context, Surface surface) => pipeline.RunAsync(context, surface, AnswerAsync);

        // Where client and provider speak the same dialect the bytes are forwarded, else they are translated.
        private Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body, RequestOutline outline) =>
            call.Target.Provider.Kind.Wire == call.Surface.Kind
                ? forward.AnswerAsync(context, call, body, outline)
                : TranslateAsync(context, call, body);

        private Task TranslateAsync(HttpContext context, GatewayCall call, PooledBytes body) =>
            call.Target.Provider.Client is not null && body.Length <= MaxBytesOnEventThread
                ? translation.AnswerAsync(context, call, body)
                : EventThread.RunOnPool(() => translation.AnswerAsync(context, call, body));
    }
}
