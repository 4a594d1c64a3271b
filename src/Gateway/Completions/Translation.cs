using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Client and provider speak different dialects, or the provider is in this process: the request is read into the canonical model,
/// written in the provider's dialect, and the answer takes the same way back.
/// </summary>
internal sealed class Translation(ModelCalls models, CallMeter meter, IOptions<GatewayOptions> options, TimeProvider time, Drain drain)
{
    private const int OutputBytes = 16 << 10;

    public async Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body)
    {
        var dialect = call.Surface.DialectOf(context.Request);
        var request = dialect.ReadRequest(
            body.Memory, new(Repair: context.Request.Headers["x-gtwy-repair"] == "true"));
        var head = new AnswerHead(AnswerIds.New(dialect.AnswerIdPrefix), time.GetUtcNow().ToUnixTimeSeconds(), call.RequestId);
        var ask = new ModelAsk(call.Target, request) { Call = call, Endpoint = call.Endpoint, ExpectedBytes = body.Length + 1_024 };
        try
        {
            await AskAsync();
        }
        catch (Failure failure) when (ModelAsk.IsWorthRepeating(failure) && !context.Response.HasStarted)
        {
            await AskAsync();
        }
        finally
        {
            call.Attempts = ask.Attempts;
        }

        async Task AskAsync()
        {
            using var answer = await models.AskAsync(ask, context.RequestAborted);
            call.Attempts = ask.Attempts;
            call.FirstByte = time.GetTimestamp();
            await (request.Stream
                ? StreamAsync(context, call, dialect.OpenWriter(request, head), answer)
                : WriteAsync(context, call, dialect, request, head, await answer.ReadAllAsync()));
        }
    }

    private async Task WriteAsync(
        HttpContext context, GatewayCall call, IClientDialect dialect, ChatRequest request, AnswerHead head, ChatAnswer answer)
    {
        using var output = new PooledBytes(4_096);
        dialect.WriteAnswer(answer, request, head, output);
        call.Usage = answer.Usage;
        call.Answered(output);
        await (call.Keep?.Invoke(output.Memory) ?? Task.CompletedTask);
        meter.Succeeded(call);
        AnswerHeaders.Write(context.Response, call, time);
        await JsonAnswer.SendAsync(context, output);
    }

    private async Task StreamAsync(HttpContext context, GatewayCall call, IChatStreamWriter writer, ModelAnswer answer)
    {
        AnswerHeaders.Write(context.Response, call, time);
        using var output = new PooledBytes(OutputBytes);
        using var lastCall = drain.LastCall.UnsafeRegister(static open => ((ModelAnswer)open!).Exchange?.Cancel(), answer);
        await using var client =
            new ClientStream(context, answer.Exchange, call.Timeouts ?? options.Value.Timeouts, writer.KeepAlive, time);
        var events = new List<ChatEvent>();
        try
        {
            while (!call.IsComplete && await answer.NextAsync(events))
            {
                if (events.Count > 0)
                {
                    client.Heard();
                    await SendAsync(call, events, writer, output, client);
                }
            }
        }
        catch (Exception thrown) when (!ClientLeftException.Explains(thrown, context))
        {
            await client.QuietAsync();
            if (!client.HasStarted)
            {
                throw;
            }
            var failure = drain.LastCall.IsCancellationRequested ? ProviderFaults.ShuttingDown() : ProviderFaults.Of(thrown);
            await SendAsync(call, [new ChatEvent.Failed(failure), new ChatEvent.End()], writer, output, client);
        }
    }

    /// <summary>Writes the steps in the client's dialect and clears them. A call is recorded before its last bytes leave.</summary>
    private async ValueTask SendAsync(
        GatewayCall call, List<ChatEvent> steps, IChatStreamWriter writer, PooledBytes output, ClientStream client)
    {
        output.Clear();
        call.AnswerEvents += steps.Count;
        foreach (var step in steps)
        {
            switch (step)
            {
                case ChatEvent.Usage usage:
                    call.Usage = usage.Tokens;
                    break;
                case ChatEvent.Failed failed when !client.HasStarted && output.Length == 0:
                    throw failed.Failure;
                case ChatEvent.Failed failed:
                    meter.Failed(call, failed.Failure);
                    break;
            }
            writer.Write(step, output);
        }
        if (steps is [.., ChatEvent.End] && !call.IsComplete)
        {
            await (call.Keep?.Invoke(output.Memory) ?? Task.CompletedTask);
            meter.Succeeded(call);
        }
        steps.Clear();
        call.AnswerBytes += output.Length;
        if (output.Length > 0 && !await client.SendAsync(output.Memory))
        {
            throw new ClientLeftException();
        }
    }
}
