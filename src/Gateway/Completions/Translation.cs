using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// Client and provider speak different dialects, or the provider is in this process: the request is read into the canonical model,
/// written in the provider's dialect, and the answer takes the same way back.
/// </summary>
internal sealed partial class Translation(
    CallMeter meter, RemoteMedia media, IOptions<GatewayOptions> options, TimeProvider time, Drain drain, ILogger<Translation> logger)
{
    private const int ReadBytes = 16 << 10;

    public async Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body)
    {
        var dialect = call.Surface.DialectOf(context.Request);
        var request = dialect.ReadRequest(
            body.Memory, new(Repair: context.Request.Headers["x-gtwy-repair"] == "true"));
        var head = new AnswerHead(AnswerIds.New(dialect.AnswerIdPrefix), time.GetUtcNow().ToUnixTimeSeconds(), call.RequestId);
        if (call.Target.Provider.Client is not { } client)
        {
            call.FirstByte = time.GetTimestamp();
            await (request.Stream
                ? StreamDemoAsync(context, call, request, dialect.OpenWriter(request, head))
                : WriteAsync(context, call, dialect, request, head, DemoProvider.Answer(request)));
            return;
        }

        var providerDialect = DialectOf(call.Target.Provider);
        if (!providerDialect.TakesAddresses)
        {
            request = await media.InlineAsync(request, context.RequestAborted);
        }
        var target = TargetOf(call);
        using var upstreamBody = new PooledBytes(body.Length + 1_024);
        providerDialect.WriteRequest(request, target, upstreamBody);
        if (request.Warnings.Count > 0)
        {
            LogChanged(call.Target.FullName, string.Join("; ", request.Warnings));
        }
        var uri = client.ChatUri(target.Model, request.Stream);
        var upstream = call.RequestTo(uri, upstreamBody.Memory, request.Stream);
        upstream.AnthropicVersion = target.Version;
        try
        {
            await AskAsync();
        }
        catch (Failure failure) when (failure.Code == GeminiAnswers.MalformedCall && !context.Response.HasStarted)
        {
            await AskAsync();
        }
        finally
        {
            call.Attempts = upstream.Attempts;
        }

        async Task AskAsync()
        {
            using var exchange = await client.SendAsync(upstream, context.RequestAborted);
            call.Attempts = upstream.Attempts;
            call.FirstByte = time.GetTimestamp();
            if (request.Stream)
            {
                if (!exchange.IsEventStream)
                {
                    using var refusal = await exchange.ReadAllAsync();
                    providerDialect.ReadAnswer(refusal.Memory, request, target);
                    throw ProviderFaults.NoStream();
                }
                await StreamAsync(context, call, dialect.OpenWriter(request, head), exchange, providerDialect.OpenReader(request, target));
                return;
            }
            using var answer = await exchange.ReadAllAsync();
            await WriteAsync(context, call, dialect, request, head, providerDialect.ReadAnswer(answer.Memory, request, target));
        }
    }

    private static IProviderDialect DialectOf(Provider provider) => provider.Kind.Dialect!.Value switch
    {
        Dialect.OpenAi => OpenAiDialect.Instance,
        Dialect.Anthropic => AnthropicDialect.Of(version: null),
        Dialect.Gemini => GeminiDialect.Instance,
    };

    private DialectTarget TargetOf(GatewayCall call) => new(call.Target.Model)
    {
        Version = options.Value.AnthropicVersion,
        Traits = call.Target.Provider.Kind.Traits,
    };

    private async Task WriteAsync(
        HttpContext context, GatewayCall call, IClientDialect dialect, ChatRequest request, AnswerHead head, ChatAnswer answer)
    {
        using var output = new PooledBytes(4_096);
        dialect.WriteAnswer(answer, request, head, output);
        call.Usage = answer.Usage;
        meter.Succeeded(call);
        AnswerHeaders.Write(context.Response, call, time);
        await JsonAnswer.SendAsync(context, output);
    }

    private async Task StreamAsync(
        HttpContext context, GatewayCall call, IChatStreamWriter writer, ProviderExchange exchange, IChatStreamReader reader)
    {
        AnswerHeaders.Write(context.Response, call, time);
        using var input = new PooledBytes(ReadBytes);
        using var output = new PooledBytes(ReadBytes);
        using var lastCall = drain.LastCall.UnsafeRegister(static open => ((ProviderExchange)open!).Cancel(), exchange);
        await using var client = new ClientStream(context, exchange, call.Timeouts ?? options.Value.Timeouts, writer.KeepAlive, time);
        var events = new List<ChatEvent>();
        try
        {
            while (!call.IsComplete)
            {
                var count = await exchange.ReadAsync(input.Free(ReadBytes / 4));
                input.Add(count);
                Read(input, reader, isEnd: count == 0, events);
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

    /// <summary>Turns the whole events of the input into canonical ones; the beginning of the next stays.</summary>
    private static void Read(PooledBytes input, IChatStreamReader reader, bool isEnd, List<ChatEvent> events)
    {
        var complete = isEnd ? input.Length : SseReader.CompleteLength(input.Span);
        if (complete == 0 && input.Length > SseReader.MaxEventBytes)
        {
            throw ProviderFaults.InvalidAnswer("The provider's stream holds an event without end");
        }
        var frames = new SseReader(input.Span[..complete]);
        while (frames.Next())
        {
            reader.Read(frames.Type, frames.Data, events);
        }
        input.DropFirst(complete);
        if (isEnd)
        {
            reader.End(events);
        }
    }

    private async Task StreamDemoAsync(HttpContext context, GatewayCall call, ChatRequest request, IChatStreamWriter writer)
    {
        AnswerHeaders.Write(context.Response, call, time);
        using var output = new PooledBytes(ReadBytes);
        await using var client = new ClientStream(context, exchange: null, options.Value.Timeouts, writer.KeepAlive, time);
        foreach (var step in DemoProvider.Stream(request))
        {
            await SendAsync(call, [step], writer, output, client);
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
                case ChatEvent.End:
                    meter.Succeeded(call);
                    break;
            }
            writer.Write(step, output);
        }
        steps.Clear();
        call.AnswerBytes += output.Length;
        if (output.Length > 0 && !await client.SendAsync(output.Memory))
        {
            throw new ClientLeftException();
        }
    }

    [LoggerMessage(LogLevel.Information, "The dialect of {Model} cannot say all of the request: {Changes}")]
    private partial void LogChanged(string model, string changes);
}
