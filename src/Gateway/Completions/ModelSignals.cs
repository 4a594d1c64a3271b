using System.Diagnostics;
using System.Diagnostics.Metrics;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;
using Stoa.Platform.Telemetry;

namespace Stoa.Gateway.Completions;

/// <summary>How a call to a model ended, for whoever watches.</summary>
/// <param name="Operation">As GenAI metrics name it (<c>chat</c>, <c>embeddings</c>).</param>
/// <param name="First">Until the first byte; null when none came.</param>
internal readonly record struct ModelSignal(
    string Operation, ModelTarget Target, TokenUsage Usage, TimeSpan Elapsed, TimeSpan? First, bool IsStream, Failure? Failure);

/// <summary>Spans and measurements of calls to models. Names and units: OpenTelemetry's GenAI conventions.</summary>
internal static class ModelSignals
{
    private static readonly Histogram<double> Duration = Signals.Meter.CreateHistogram<double>("gen_ai.client.operation.duration", "s");
    private static readonly Histogram<long> Tokens = Signals.Meter.CreateHistogram<long>("gen_ai.client.token.usage", "{token}");
    private static readonly Histogram<double> FirstChunk =
        Signals.Meter.CreateHistogram<double>("gen_ai.client.operation.time_to_first_chunk", "s");

    /// <summary>Null while nobody traces.</summary>
    public static Activity? Start(string operation, ModelTarget target) => Signals.Spans.HasListeners()
        ? Signals.Spans.StartActivity($"{operation} {target.Model}", ActivityKind.Client)
        : null;

    public static void End(Activity? span, in ModelSignal signal)
    {
        Measure(signal);
        if (span is null)
        {
            return;
        }
        span.SetTag("gen_ai.operation.name", signal.Operation);
        span.SetTag("gen_ai.provider.name", signal.Target.Provider.Name);
        span.SetTag("gen_ai.request.model", signal.Target.Model);
        span.SetTag("gen_ai.usage.input_tokens", signal.Usage.Input);
        span.SetTag("gen_ai.usage.output_tokens", signal.Usage.Output);
        if (signal.Failure is { } failure)
        {
            span.SetTag("error.type", failure.Code);
            span.SetStatus(ActivityStatusCode.Error);
        }
        span.Dispose();
    }

    private static void Measure(in ModelSignal signal)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", signal.Operation },
            { "gen_ai.provider.name", signal.Target.Provider.Name },
            { "gen_ai.request.model", signal.Target.Model },
        };
        if (signal.Failure is { } failure)
        {
            tags.Add("error.type", failure.Code);
        }
        Duration.Record(signal.Elapsed.TotalSeconds, tags);
        if (signal.First is { } waited && signal.IsStream)
        {
            FirstChunk.Record(waited.TotalSeconds, tags);
        }
        if (signal.Usage.Total > 0)
        {
            tags.Add("gen_ai.token.type", "input");
            Tokens.Record(signal.Usage.Input, tags);
            tags[^1] = new("gen_ai.token.type", "output");
            Tokens.Record(signal.Usage.Output, tags);
        }
    }
}
