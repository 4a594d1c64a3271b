using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Counts a prompt's tokens: Anthropic's own count where it is the provider, an estimate elsewhere. Costs nothing and is not recorded.
/// </summary>
internal static class CountTokensApi
{
    public static void MapCountTokens(this IEndpointRouteBuilder routes) => routes.MapPost("/messages/count_tokens", CountAsync)
        .WithTags("Chat").WithSummary("Count the tokens of a prompt, in Anthropic's dialect")
        .Accepts<ChatSchema.AnthropicRequest>("application/json");

    internal static async Task CountAsync(HttpContext context, CallGate gate, CallTargets targets, IOptions<GatewayOptions> options)
    {
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(body.Span), wishes);
        var route = targets.RouteOf(key, target, wishes)?.Targets ?? [target];
        await gate.AdmitAsync(context, LimitHeaders.Anthropic, key, tokens: 0);
        try
        {
            for (var at = 0; ; at++)
            {
                // The client's key is for the provider that it named; no other gets to see it.
                var terms = new Terms(targets.KeyOf(key, route[at], at == 0 ? wishes : null), wishes?.Shorten(options.Value.Timeouts));
                try
                {
                    await AnswerAsync(context, route[at], body, outline, terms);
                    return;
                }
                catch (Exception thrown) when (at < route.Count - 1 && MayGoOn(context, thrown))
                {
                    // The next one may know.
                }
            }
        }
        finally
        {
            gate.Leave(key);
        }
    }

    private static async Task AnswerAsync(HttpContext context, ModelTarget target, PooledBytes body, RequestOutline outline, Terms terms)
    {
        if (target.Provider is { Client: { } client, Kind.Dialect: Dialect.Anthropic })
        {
            await ForwardAsync(context, client, body, outline, target, terms);
            return;
        }
        var dialect = AnthropicDialect.Of(context.Request.Headers["anthropic-version"]);
        var request = dialect.ReadRequest(body.Memory, new ReadOptions(CountOnly: true));
        context.Response.Headers["x-gtwy-estimated"] = "true";
        using var output = new PooledBytes(64);
        AnthropicAnswers.WriteCount(TokenEstimate.Of(request), output);
        await JsonAnswer.SendAsync(context, output);
    }

    private static bool MayGoOn(HttpContext context, Exception thrown) =>
        !context.Response.HasStarted && !ClientLeftException.Explains(thrown, context) && CallRoute.MayHelp(ProviderFaults.Of(thrown));

    private static async Task ForwardAsync(
        HttpContext context, ProviderClient client, PooledBytes body, RequestOutline outline, ModelTarget target, Terms terms)
    {
        using var renamed = BodyChanges.Rename(body.Span, outline, target);
        var request = new ProviderRequest(client.CountTokensUri, (renamed ?? body).Memory, isStream: false)
        {
            AnthropicVersion = PassedHeaders.AnthropicVersion(context.Request),
            AnthropicBeta = PassedHeaders.AnthropicBeta(context.Request),
            ApiKey = terms.ApiKey,
            Timeouts = terms.Timeouts,
        };
        using var exchange = await client.SendAsync(request, context.RequestAborted);
        using var answer = await exchange.ReadAllAsync();
        await JsonAnswer.SendAsync(context, answer);
    }

    /// <summary>The key to ask with and how long to wait, where they are not those of the settings.</summary>
    private sealed class Terms(string? apiKey, TimeoutOptions? timeouts)
    {
        public string? ApiKey => apiKey;

        public TimeoutOptions? Timeouts => timeouts;
    }
}
