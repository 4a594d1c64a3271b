using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Embeddings;

/// <summary>Embeddings in OpenAI's dialect: forwarded or translated where the provider has them, made here for the demo.</summary>
internal sealed class EmbeddingsApi(CallGate gate, CallTargets targets, CallFrame frame, CallMeter meter, TimeProvider time)
{
    public static readonly Surface Surface = ChatApi.OpenAi with { Name = "openai.embeddings", Operation = "embeddings" };

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/embeddings", (HttpContext context, EmbeddingsApi embeddings) => embeddings.EmbedAsync(context))
            .WithTags("Embeddings").WithSummary("Turn texts into vectors")
            .Accepts<ChatSchema.EmbeddingsRequest>("application/json");
    }

    /// <summary>The same way as a chat's (<see cref="ChatApi"/>), with another answer in its middle.</summary>
    public async Task EmbedAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(body.Span), wishes);
        var route = targets.RouteOf(key, target, wishes);
        var admission = await gate.AdmitAsync(context, Surface.Limits, key, outline.EstimatedInput + outline.MaxOutput);
        var call = new GatewayCall(Surface, key, route?.First ?? target, outline, admission, context.RequestId(), started)
        {
            Route = route, Wishes = wishes,
        };
        await frame.RunAsync(context, call, outline.MaxOutput, () => AnswerAsync(context, call, body, outline));
    }

    private async Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body, RequestOutline outline)
    {
        // Vectors are large and reading them is work: not on the event thread (the route does not stay there).
        var request = OpenAiEmbeddings.ReadRequest(body.Memory);
        using var output = new PooledBytes(16 << 10);
        if (call.Target.Provider.Client is not { } client)
        {
            Write(call, DemoProvider.Embed(request), request, output);
        }
        else if (call.Target.Provider.Kind is { Dialect: Dialect.OpenAi, Traits.Forwards: true })
        {
            using var renamed = BodyChanges.Rename(body.Span, outline, call.Target);
            // Some compatible servers send numbers whatever was asked for, so the answer is always written anew.
            await AskAsync(context, call, client, (renamed ?? body).Memory, request, output);
        }
        else
        {
            using var written = new PooledBytes(body.Length + 1_024);
            EmbeddingCalls.Write(request, call.Target, written);
            await AskAsync(context, call, client, written.Memory, request, output);
        }
        meter.Succeeded(call);
        AnswerHeaders.Write(context.Response, call, time);
        await JsonAnswer.SendAsync(context, output);
    }

    private static async Task AskAsync(
        HttpContext context, GatewayCall call, ProviderClient client,
        ReadOnlyMemory<byte> body, EmbeddingRequest request, PooledBytes output)
    {
        var upstream = call.RequestTo(client.EmbeddingsUri(call.Target.Model), body, isStream: false);
        try
        {
            using var exchange = await client.SendAsync(upstream, context.RequestAborted);
            using var answer = await exchange.ReadAllAsync();
            Write(call, EmbeddingCalls.Read(answer.Memory, request, call.Target), request, output);
        }
        finally
        {
            call.Attempts = upstream.Attempts;
        }
    }

    private static void Write(GatewayCall call, EmbeddingAnswer answer, EmbeddingRequest request, PooledBytes output)
    {
        call.Usage = answer.Usage;
        OpenAiEmbeddings.WriteAnswer(answer, request, output);
    }
}
