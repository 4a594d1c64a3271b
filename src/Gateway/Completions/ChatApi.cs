using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Wires.Anthropic;
using Stoa.Gateway.Wires.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>The two chat routes. Both stay on the event thread: they pass bytes on, and do what takes longer elsewhere.</summary>
internal static class ChatApi
{
    public static readonly Surface OpenAi = new("openai.chat", "chat", OpenAiWire.Instance, OpenAiRaw.Instance, OpenAiErrors.Instance, LimitHeaders.OpenAi);

    public static readonly Surface Anthropic =
        new("anthropic.messages", "chat", AnthropicWire.Instance, AnthropicRaw.Instance, AnthropicErrors.Instance, LimitHeaders.Anthropic);

    public static void MapOpenAiChat(this IEndpointRouteBuilder routes) => routes.MapChat("/chat/completions", OpenAi)
        .WithTags("Chat").WithSummary("Answer a conversation, in OpenAI's dialect")
        .Accepts<ChatSchema.OpenAiRequest>("application/json");

    public static void MapAnthropicChat(this IEndpointRouteBuilder routes) => routes.MapChat("/messages", Anthropic)
        .WithTags("Chat").WithSummary("Answer a conversation, in Anthropic's dialect")
        .Accepts<ChatSchema.AnthropicRequest>("application/json");

    private static RouteHandlerBuilder MapChat(this IEndpointRouteBuilder routes, string path, Surface surface)
    {
        var pipeline = routes.ServiceProvider.GetRequiredService<CallPipeline>();
        var forward = routes.ServiceProvider.GetRequiredService<RawForward>();
        var translation = routes.ServiceProvider.GetRequiredService<Translation>();
        return routes.MapPost(path, (HttpContext context) => pipeline.RunAsync(context, surface, AnswerAsync)).StayOnEventThread();

        // Where client and provider speak the same dialect the bytes are forwarded, else they are translated.
        Task AnswerAsync(HttpContext context, GatewayCall call, Providers.PooledBytes body, RequestOutline outline) =>
            call.Target.Provider.Kind.Wire == surface.Wire.Kind
                ? forward.AnswerAsync(context, call, body, outline)
                : translation.AnswerAsync(context, call, body);
    }
}
