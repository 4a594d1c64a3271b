using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.Anthropic;
using Stoa.Gateway.Dialects.Gemini;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Dialects.OpenAiResponses;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>A question to a model, and how often its provider was asked.</summary>
internal sealed class ModelAsk(ModelTarget target, ChatRequest request)
{
    public ModelTarget Target => target;

    public ChatRequest Request => request;

    /// <summary>The dialect of the endpoint to ask; null for the provider's own.</summary>
    public Dialect? Endpoint { get; init; }

    /// <summary>The key to ask with instead of the operator's.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The client's call that asks, with what it brings for its provider; null for a question of our own.</summary>
    public GatewayCall? Call { get; init; }

    /// <summary>About as large as the request is going to be.</summary>
    public int ExpectedBytes { get; init; } = 8 << 10;

    /// <summary>The model has made a call that nobody can read; asked once more, it mostly makes a better one.</summary>
    public static bool IsWorthRepeating(Failure failure) => failure.Code == GeminiAnswers.MalformedCall;

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
        var endpoint = ask.Endpoint ?? target.Provider.Kind.Dialect!.Value;
        var dialect = DialectOf(endpoint);
        request = !dialect.TakesAddresses || request.HasRecordings
            ? await media.InlineAsync(request, ct)
            : await media.InlineOwnAsync(request, always: endpoint == Dialect.OpenAi, ct);
        var place = new DialectTarget(target.Model)
        {
            Version = options.Value.AnthropicVersion,
            Traits = target.Provider.Kind.Traits,
        };
        var body = new PooledBytes(ask.ExpectedBytes);
        try
        {
            dialect.WriteRequest(request, place, body);
            if (request.Warnings.Count > 0)
            {
                LogChanged(target.FullName, string.Join("; ", request.Warnings));
            }
            var uri = client.ChatUri(endpoint, target.Model, request.Stream);
            var upstream = ask.Call?.RequestTo(uri, body.Memory, request.Stream)
                ?? new ProviderRequest(uri, body.Memory, request.Stream) { ApiKey = ask.ApiKey };
            upstream.AnthropicVersion = place.Version;
            try
            {
                return new(await client.SendAsync(upstream, ct), body, dialect, request, place);
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

    internal static IProviderDialect DialectOf(Dialect endpoint) => endpoint switch
    {
        Dialect.OpenAi => OpenAiDialect.Instance,
        Dialect.Anthropic => AnthropicDialect.Of(version: null),
        Dialect.Gemini => GeminiDialect.Instance,
        Dialect.OpenAiResponses => ResponsesDialect.Instance,
    };

    [LoggerMessage(LogLevel.Information, "The dialect of {Model} cannot say all of the request: {Changes}")]
    private partial void LogChanged(string model, string changes);
}

/// <summary>What a model answers: read as a whole, or step by step as it comes.</summary>
internal sealed class ModelAnswer : IDisposable
{
    private const int ReadBytes = 16 << 10;

    private readonly ProviderExchange? exchange;
    private readonly PooledBytes? body;
    private readonly IProviderDialect? dialect;
    private readonly ChatRequest request;
    private readonly DialectTarget? place;
    private readonly IEnumerator<ChatEvent>? demo;
    private PooledBytes? input;
    private IChatStreamReader? reader;
    private bool isOver;

    internal ModelAnswer(ProviderExchange exchange, PooledBytes body, IProviderDialect dialect, ChatRequest request, DialectTarget place) =>
        (this.exchange, this.body, this.dialect, this.request, this.place) = (exchange, body, dialect, request, place);

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
        return dialect!.ReadAnswer(whole.Memory, request, place!);
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
        var complete = isOver ? input.Length : SseReader.CompleteLength(input.Span);
        if (complete == 0 && input.Length > SseReader.MaxEventBytes)
        {
            throw ProviderFaults.InvalidAnswer("The provider's stream holds an event without end");
        }
        var frames = new SseReader(input.Span[..complete]);
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
        reader = dialect!.OpenReader(request, place!);
    }
}
