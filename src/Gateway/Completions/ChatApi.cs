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

    public static void MapChat(this IEndpointRouteBuilder openAi, IEndpointRouteBuilder anthropic)
    {
        openAi.MapChat("/chat/completions", OpenAi).WithSummary("Answer a conversation, in OpenAI's dialect");
        anthropic.MapChat("/messages", Anthropic).WithSummary("Answer a conversation, in Anthropic's dialect");
    }

    private static RouteHandlerBuilder MapChat(this IEndpointRouteBuilder routes, string path, Surface surface)
    {
        var endpoint = ActivatorUtilities.CreateInstance<ChatEndpoint>(routes.ServiceProvider, surface);
        return routes.MapPost(path, (Delegate)endpoint.HandleAsync).StayOnEventThread();
    }
}
