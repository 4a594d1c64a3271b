using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Embeddings;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Batches.Native;

/// <summary>
/// Requests of a batch in the dialect of their provider, and its answers in that of the client; each answer is recorded as a call.
/// </summary>
internal sealed class NativeLines(CallMeter meter, RemoteMedia media, IOptions<GatewayOptions> options, TimeProvider time)
{
    public async Task<ReadOnlyMemory<byte>> WriteAsync(Batch batch, ModelTarget target, BatchLine line, CancellationToken ct)
    {
        var surface = SurfaceOf(batch);
        using var output = new PooledBytes(line.Request.Length + 1_024);
        if (surface.Dialect == target.Provider.Kind.Dialect)
        {
            using var renamed = BodyChanges.Rename(line.Request.Span, RequestOutline.Read(line.Request.Span), target);
            return renamed?.Span.ToArray() ?? line.Request;
        }
        var dialect = ModelCalls.DialectOf(target.Provider.Kind.Dialect!.Value);
        var request = RequestOf(surface, line);
        request = dialect.TakesAddresses ? request : await media.InlineAsync(request, ct);
        dialect.WriteRequest(request, TargetOf(target), output);
        return output.Span.ToArray();
    }

    public async Task<InnerAnswer> ReadAsync(Batch batch, ApiKey key, ModelTarget target, BatchLine line, NativeResult result)
    {
        var surface = SurfaceOf(batch);
        var call = new GatewayCall(
            surface, key, target, RequestOutline.Read(line.Request.Span), default, Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            time.GetTimestamp());
        try
        {
            if (result.Status is < 200 or >= 300)
            {
                throw RefusalOf(target.Provider.Kind.Dialect!.Value, result);
            }
            return new(200, call.RequestId, Answer(surface, call, line, result));
        }
        catch (Failure failure)
        {
            meter.Failed(call, failure);
            return new(surface.Errors.StatusOf(failure), call.RequestId, await RenderAsync(surface.Errors, failure));
        }
    }

    private ReadOnlyMemory<byte> Answer(Surface surface, GatewayCall call, BatchLine line, NativeResult result)
    {
        using var output = new PooledBytes(result.Body.Length + 1_024);
        if (surface.Dialect == call.Target.Provider.Kind.Dialect)
        {
            call.Usage = surface.Raw.ReadUsage(result.Body.Span);
            output.Write(result.Body.Span);
        }
        else
        {
            var request = RequestOf(surface, line);
            var answer = ModelCalls.DialectOf(call.Target.Provider.Kind.Dialect!.Value)
                .ReadAnswer(result.Body, request, TargetOf(call.Target));
            var client = surface.DialectOf(new DefaultHttpContext().Request);
            var head = new AnswerHead(AnswerIds.New(client.AnswerIdPrefix), time.GetUtcNow().ToUnixTimeSeconds(), call.RequestId);
            client.WriteAnswer(answer, request, head, output);
            call.Usage = answer.Usage;
        }
        meter.Succeeded(call);
        return output.Span.ToArray();
    }

    private DialectTarget TargetOf(ModelTarget target) => new(target.Model)
    {
        Version = options.Value.AnthropicVersion,
        Traits = target.Provider.Kind.Traits,
    };

    private static ChatRequest RequestOf(Surface surface, BatchLine line) =>
        surface.DialectOf(new DefaultHttpContext().Request).ReadRequest(line.Request);

    private static Surface SurfaceOf(Batch batch) => batch.Endpoint switch
    {
        InnerCalls.Messages => ChatApi.Anthropic,
        InnerCalls.Embeddings => EmbeddingsApi.Surface,
        _ => ChatApi.OpenAi,
    };

    private static Failure RefusalOf(Dialect dialect, NativeResult result)
    {
        var reply = new ProviderReply(result.Status);
        return dialect switch
        {
            Dialect.Anthropic => AnthropicErrors.Read(reply, result.Body),
            Dialect.Gemini => GeminiErrors.Read(reply, result.Body),
            Dialect.OpenAi or Dialect.OpenAiResponses => OpenAiErrors.Read(reply, result.Body),
        };
    }

    private static async Task<byte[]> RenderAsync(ErrorDialect errors, Failure failure)
    {
        using var output = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = output } };
        await errors.WriteAsync(context, failure);
        await context.Response.CompleteAsync();
        return output.ToArray();
    }
}
