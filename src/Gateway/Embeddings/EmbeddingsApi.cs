using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Gateway.Wires.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Embeddings;

/// <summary>Embeddings in OpenAI's dialect: forwarded where the provider has them, made here for the demo.</summary>
internal sealed class EmbeddingsApi(CallMeter meter, TimeProvider time)
{
    public static readonly Surface Surface = ChatApi.OpenAi with { Name = "openai.embeddings", Operation = "embeddings" };

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/embeddings", (HttpContext context, CallPipeline pipeline, EmbeddingsApi embeddings) =>
                pipeline.RunAsync(context, Surface, embeddings.AnswerAsync))
            .WithTags("Embeddings").WithSummary("Turn texts into vectors")
            .Accepts<ChatSchema.EmbeddingsRequest>("application/json");
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
        else if (call.Target.Provider.Kind.Wire == Wire.OpenAi)
        {
            await ForwardAsync(context, call, client, body, outline, request, output);
        }
        else
        {
            throw new Failure(FailureKind.NotFound, "unsupported_endpoint", $"The provider {call.Target.Provider.Name} has no embeddings", [new("model", "no embeddings")]);
        }
        meter.Succeeded(call);
        AnswerHeaders.Write(context.Response, call, time);
        await JsonAnswer.SendAsync(context, output);
    }

    private static async Task ForwardAsync(
        HttpContext context, GatewayCall call, ProviderClient client, PooledBytes body, RequestOutline outline, EmbeddingRequest request, PooledBytes output)
    {
        using var renamed = BodyChanges.Rename(body.Span, outline, call.Target);
        var upstream = new ProviderRequest(client.EmbeddingsUri, (renamed ?? body).Memory, isStream: false);
        try
        {
            using var exchange = await client.SendAsync(upstream, context.RequestAborted);
            using var answer = await exchange.ReadAllAsync();
            // Some compatible servers send numbers whatever was asked for, so the answer is always written anew.
            Write(call, OpenAiEmbeddings.ReadAnswer(answer.Memory, request), request, output);
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
