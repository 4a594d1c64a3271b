using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Gateway.Wires;

namespace Stoa.Gateway.Completions;

/// <summary>A question to a model, and how often its provider was asked.</summary>
internal sealed class ModelAsk(ModelTarget target, ChatRequest request)
{
    public ModelTarget Target => target;

    public ChatRequest Request => request;

    /// <summary>The key to ask with instead of the operator's.</summary>
    public string? ApiKey { get; init; }

    public int Attempts { get; set; } = 1;
}

/// <summary>Asks models in the canonical terms: the request is written in the provider's dialect, and the answer read from it.</summary>
internal sealed partial class ModelCalls(RemoteMedia media, IOptions<GatewayOptions> options, ILogger<ModelCalls> logger)
{
    /// <summary>The answer, of which only the head has arrived where the request wants a stream.</summary>
    public async ValueTask<ModelAnswer> AskAsync(ModelAsk ask, CancellationToken ct)
    {
        var (target, request) = (ask.Target, ask.Request);
        if (target.Provider.Client is not { } client)
        {
            return ModelAnswer.OfDemo(request);
        }
        var wire = ChatWires.Of(target.Provider.Kind.Wire!.Value);
        if (!wire.TakesAddresses)
        {
            request = await media.InlineAsync(request, ct);
        }
        var place = new WireTarget(target.Model)
        {
            Version = options.Value.AnthropicVersion,
            Genuine = target.Provider.Kind.Name == "openai",
        };
        var body = new PooledBytes(8 << 10);
        try
        {
            wire.WriteRequest(request, place, body);
            if (request.Warnings.Count > 0)
            {
                LogChanged(target.FullName, string.Join("; ", request.Warnings));
            }
            var upstream = new ProviderRequest(client.ChatUri(target.Model, request.Stream), body.Memory, request.Stream)
            {
                AnthropicVersion = place.Version,
                ApiKey = ask.ApiKey,
            };
            try
            {
                return new(await client.SendAsync(upstream, ct), body, wire, request, place);
            }
            finally
            {
                ask.Attempts = upstream.Attempts;
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    [LoggerMessage(LogLevel.Information, "The dialect of {Model} cannot say all of the request: {Changes}")]
    private partial void LogChanged(string model, string changes);
}

/// <summary>What a model answers: read as a whole, or step by step as it comes.</summary>
internal sealed class ModelAnswer : IDisposable
{
    private const int ReadBytes = 16 << 10;

    private readonly ProviderExchange? exchange;
    private readonly PooledBytes? body;
    private readonly IProviderWire? wire;
    private readonly ChatRequest request;
    private readonly WireTarget? place;
    private readonly IEnumerator<ChatEvent>? demo;
    private PooledBytes? input;
    private IChatStreamReader? reader;
    private bool isOver;

    internal ModelAnswer(ProviderExchange exchange, PooledBytes body, IProviderWire wire, ChatRequest request, WireTarget place) =>
        (this.exchange, this.body, this.wire, this.request, this.place) = (exchange, body, wire, request, place);

    private ModelAnswer(ChatRequest request) => (this.request, demo) = (request, DemoProvider.Stream(request).GetEnumerator());

    internal static ModelAnswer OfDemo(ChatRequest request) => new(request);

    /// <summary>Null for a model in this process.</summary>
    public ProviderExchange? Exchange => exchange;

    public async ValueTask<ChatAnswer> ReadAllAsync()
    {
        if (exchange is null)
        {
            return DemoProvider.Answer(request);
        }
        using var whole = await exchange.ReadAllAsync();
        return wire!.ReadAnswer(whole.Memory, request, place!);
    }

    /// <summary>Adds what came next, which may be no whole step yet. False when there is no more.</summary>
    public async ValueTask<bool> NextAsync(List<ChatEvent> events)
    {
        if (isOver)
        {
            return false;
        }
        if (exchange is null)
        {
            isOver = !demo!.MoveNext();
            if (!isOver)
            {
                events.Add(demo.Current);
            }
            return !isOver;
        }
        if (reader is null)
        {
            await OpenAsync();
        }
        var count = await exchange.ReadAsync(input!.Free(ReadBytes / 4));
        input.Add(count);
        isOver = count == 0;
        var complete = isOver ? input.Length : SseFrames.CompleteLength(input.Span);
        if (complete == 0 && input.Length > SseFrames.MaxEventBytes)
        {
            throw ProviderFaults.InvalidAnswer("The provider's stream holds an event without end");
        }
        var frames = new SseFrames(input.Span[..complete]);
        while (frames.Next())
        {
            reader!.Read(frames.Type, frames.Data, events);
        }
        input.DropFirst(complete);
        if (isOver)
        {
            reader!.End(events);
        }
        return true;
    }

    public void Dispose()
    {
        exchange?.Dispose();
        body?.Dispose();
        input?.Dispose();
        demo?.Dispose();
    }

    private async ValueTask OpenAsync()
    {
        if (!exchange!.IsEventStream)
        {
            // What it says instead is most likely an error, which reading throws.
            await ReadAllAsync();
            throw ProviderFaults.NoStream();
        }
        input = new(ReadBytes);
        reader = wire!.OpenReader(request, place!);
    }
}
