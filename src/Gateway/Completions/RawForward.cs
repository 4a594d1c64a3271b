using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Client and provider speak the same dialect: the body goes out as it came (but for the model's name and the wish for usage), the
/// answer comes back as it is, and usage is read from the passing bytes. Fields we do not know survive.
/// </summary>
internal sealed class RawForward(CallMeter meter, IOptions<GatewayOptions> options, TimeProvider time, Drain drain)
{
    private const int ReadBytes = 16 << 10;

    public async Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body, RequestOutline outline)
    {
        using var rewritten = call.Surface.Raw.Rewrite(body.Span, outline, call.Target);
        var client = call.Target.Provider.Client!;
        var uri = call.Path is { } path ? client.UriOf(path) : client.ChatUri(call.Endpoint!.Value, call.Target.Model, outline.IsStream);
        var request = call.RequestTo(uri, (rewritten ?? body).Memory, outline.IsStream);
        request.AnthropicVersion = PassedHeaders.AnthropicVersion(context.Request);
        request.AnthropicBeta = PassedHeaders.AnthropicBeta(context.Request);
        try
        {
            using var exchange = await client.SendAsync(request, context.RequestAborted);
            call.Attempts = request.Attempts;
            call.FirstByte = time.GetTimestamp();
            if (outline.IsStream)
            {
                await NeedStreamAsync(call.Surface.Raw, exchange);
                await StreamAsync(context, call, exchange, call.Surface.Raw.OpenStream(body.Span, outline));
            }
            else
            {
                await WholeAsync(context, call, exchange);
            }
        }
        finally
        {
            call.Attempts = request.Attempts;
        }
    }

    /// <summary>A client that waits for events would take anything else for an empty answer.</summary>
    private static async ValueTask NeedStreamAsync(IRawDialect dialect, ProviderExchange exchange)
    {
        if (exchange.IsEventStream)
        {
            return;
        }
        using var answer = await exchange.ReadAllAsync();
        dialect.ReadUsage(answer.Span);
        throw ProviderFaults.NoStream();
    }

    private async Task WholeAsync(HttpContext context, GatewayCall call, ProviderExchange exchange)
    {
        if (exchange is { IsEventStream: true, ContentType: not null })
        {
            throw ProviderFaults.InvalidAnswer("The provider sent a stream that was not asked for");
        }
        using var answer = await exchange.ReadAllAsync();
        call.Usage = call.Surface.Raw.ReadUsage(answer.Span);
        call.AnswerBytes = answer.Length;
        call.Answered(answer);
        await (call.Keep?.Invoke(answer.Memory) ?? Task.CompletedTask);
        meter.Succeeded(call);
        AnswerHeaders.Write(context.Response, call, time);
        await JsonAnswer.SendAsync(context, answer);
    }

    private async Task StreamAsync(HttpContext context, GatewayCall call, ProviderExchange exchange, RawStream stream)
    {
        AnswerHeaders.Write(context.Response, call, time);
        using var buffer = new PooledBytes(ReadBytes);
        using var lastCall = drain.LastCall.UnsafeRegister(static open => ((ProviderExchange)open!).Cancel(), exchange);
        await using var client =
            new ClientStream(context, exchange, call.Timeouts ?? options.Value.Timeouts, call.Surface.Raw.KeepAlive, time);
        try
        {
            while (!stream.IsFinished)
            {
                var count = await exchange.ReadAsync(buffer.Free(ReadBytes / 4));
                if (count == 0)
                {
                    break;
                }
                buffer.Add(count);
                await PassAsync(call, buffer, stream, client);
            }
            if (!stream.IsFinished)
            {
                await EndAsync(call, stream, client);
            }
        }
        catch (Exception thrown) when (!ClientLeftException.Explains(thrown, context))
        {
            await client.QuietAsync();
            call.Usage = stream.Usage;
            if (!client.HasStarted)
            {
                throw;
            }
            await FailAsync(
                call, drain.LastCall.IsCancellationRequested ? ProviderFaults.ShuttingDown() : ProviderFaults.Of(thrown), client);
        }
        finally
        {
            call.Usage ??= stream.Usage;
        }
    }

    /// <summary>Sends on the whole events of the buffer; the beginning of the next one stays.</summary>
    private async ValueTask PassAsync(GatewayCall call, PooledBytes buffer, RawStream stream, ClientStream client)
    {
        var complete = SseReader.CompleteLength(buffer.Span);
        if (complete == 0)
        {
            if (buffer.Length > SseReader.MaxEventBytes)
            {
                throw ProviderFaults.InvalidAnswer("The provider's stream holds an event without end");
            }
            return;
        }
        // Comments keep a connection open; they are neither progress nor part of the answer.
        var dataEvents = buffer.Span[..complete].Count("data:"u8);
        var visible = stream.Read(buffer.Writable[..complete]);
        call.AnswerEvents += dataEvents;
        call.AnswerBytes += dataEvents > 0 ? complete : 0;
        if (stream.Refusal is { } refusal)
        {
            // Before the client has seen anything it becomes an answer's status, later the stream's last event, behind what came before it.
            if (client.HasStarted && visible > 0)
            {
                await client.SendAsync(buffer.Memory[..visible]);
            }
            throw refusal;
        }
        if (stream.IsFinished)
        {
            // Recorded before the client sees the end: an answered call is a recorded call.
            call.Usage = stream.Usage;
            await (call.Keep?.Invoke(buffer.Memory[..visible]) ?? Task.CompletedTask);
            meter.Succeeded(call);
        }
        if (dataEvents > 0)
        {
            client.Heard();
        }
        if (visible > 0 && !await client.SendAsync(buffer.Memory[..visible]))
        {
            throw new ClientLeftException();
        }
        buffer.DropFirst(complete);
    }

    /// <summary>The connection ended without the dialect's end mark.</summary>
    private async ValueTask EndAsync(GatewayCall call, RawStream stream, ClientStream client)
    {
        if (!stream.MayEnd)
        {
            throw ProviderRefusals.ClosedEarly();
        }
        call.Usage = stream.Usage;
        meter.Succeeded(call);
        await client.SendAsync(stream.Ending);
    }

    private async ValueTask FailAsync(GatewayCall call, Failure failure, ClientStream client)
    {
        meter.Failed(call, failure);
        using var error = new PooledBytes(512);
        call.Surface.Raw.WriteError(failure, call.RequestId, error);
        await client.SendAsync(error.Memory);
    }
}
