using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>Answers an admitted call. What it throws before the answer has begun is told in the surface's dialect.</summary>
internal delegate Task CallAnswer(HttpContext context, GatewayCall call, PooledBytes body, RequestOutline outline);

/// <summary>Every call to a model from its arrival to its record: who calls, what model, may they, the answer, and how it ended.</summary>
internal sealed class CallPipeline(CallGate gate, CallMeter meter, TimeProvider time)
{
    public async Task RunAsync(HttpContext context, Surface surface, CallAnswer answer)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        var target = gate.Target(key, outline.ModelName(body.Span));
        var (requests, tokens, reserved) = await gate.AdmitAsync(context, surface.Limits, key, outline.EstimatedInput + outline.MaxOutput);
        var call = new GatewayCall(surface, key, target, context.RequestId(), started)
        {
            IsStream = outline.IsStream,
            EstimatedInput = outline.EstimatedInput,
            ReservedTokens = reserved,
            RequestLimit = requests,
            TokenLimit = tokens,
        };
        try
        {
            await answer(context, call, body, outline);
        }
        catch (Exception thrown) when (ClientLeftException.Explains(thrown, context))
        {
            meter.Cancelled(call);
        }
        catch (Exception thrown)
        {
            var failure = ProviderFaults.Of(thrown);
            meter.Failed(call, failure, surface.Errors.StatusOf(failure));
            if (!context.Response.HasStarted)
            {
                AnswerHeaders.Write(context.Response, call, time);
            }
            if (failure == thrown || failure.Kind == FailureKind.Internal)
            {
                throw;
            }
            throw failure;
        }
        finally
        {
            gate.Leave(key);
        }
    }
}
