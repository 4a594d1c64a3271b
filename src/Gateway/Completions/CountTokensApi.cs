using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;

namespace Stoa.Gateway.Completions;

/// <summary>Counts a prompt's tokens: Anthropic's own count where it is the provider, an estimate elsewhere. Costs nothing and is not recorded.</summary>
internal static class CountTokensApi
{
    public static void MapCountTokens(this IEndpointRouteBuilder routes) => routes.MapPost("/messages/count_tokens", CountAsync)
        .WithTags("Chat").WithSummary("Count the tokens of a prompt, in Anthropic's dialect")
        .Accepts<ChatSchema.AnthropicRequest>("application/json");

    internal static async Task CountAsync(HttpContext context, CallGate gate, CallTargets targets)
    {
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(body.Span), wishes);
        await gate.AdmitAsync(context, LimitHeaders.Anthropic, key, tokens: 0);
        try
        {
            if (target.Provider is { Client: { } client, Kind.Dialect: Dialect.Anthropic })
            {
                await ForwardAsync(context, client, body, outline, target, targets.KeyOf(key, target, wishes));
                return;
            }
            var dialect = AnthropicDialect.Of(context.Request.Headers["anthropic-version"]);
            var request = dialect.ReadRequest(body.Memory, new ReadOptions(CountOnly: true));
            context.Response.Headers["x-gtwy-estimated"] = "true";
            using var output = new PooledBytes(64);
            AnthropicAnswers.WriteCount(TokenEstimate.Of(request), output);
            await JsonAnswer.SendAsync(context, output);
        }
        finally
        {
            gate.Leave(key);
        }
    }

    private static async Task ForwardAsync(
        HttpContext context, ProviderClient client, PooledBytes body, RequestOutline outline, ModelTarget target, string? providerKey)
    {
        using var renamed = BodyChanges.Rename(body.Span, outline, target);
        var request = new ProviderRequest(client.CountTokensUri, (renamed ?? body).Memory, isStream: false)
        {
            ApiKey = providerKey,
            AnthropicVersion = PassedHeaders.AnthropicVersion(context.Request),
            AnthropicBeta = PassedHeaders.AnthropicBeta(context.Request),
        };
        using var exchange = await client.SendAsync(request, context.RequestAborted);
        using var answer = await exchange.ReadAllAsync();
        await JsonAnswer.SendAsync(context, answer);
    }
}
