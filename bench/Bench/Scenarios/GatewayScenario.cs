using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>What a call through Stoa costs, beside the plain proxy of the same run.</summary>
internal sealed class GatewayScenario : Scenario
{
    private const string Chat = "/v1/chat/completions";

    private static readonly (string Name, int PromptBytes, bool Streams, double Bound)[] Cases =
        [("1k", 1024, false, 0.8), ("20k", 20 * 1024, false, 0.8), ("stream", 1024, true, 1.0)];

    internal override string Name => "gateway";

    internal override string Purpose => "CPU per request, added latency and time to first event, beside the plain proxy";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        await using var rig = await Rig.StartAsync();
        await using var product = await Product.StartAsync(rig.Direct.BaseUrl);
        var key = await product.CreateKeyAsync();
        var stoa = product.As("stoa", key, "openai");
        var translating = product.As("translating", key, "anthropic");

        foreach (var (name, bytes, streams, bound) in Cases)
        {
            await NoteAsync($"gateway: {name}");
            var closed = new Measurement(Chat, bytes, streams);
            await closed.PlayAsync(arguments, rig.Plain, stoa);
            foreach (var figure in Costs(name, closed, rig.Plain, stoa, bound))
            {
                yield return figure;
            }
        }

        await NoteAsync("gateway: translation");
        var translation = new Measurement(Chat, 1024, streams: false);
        await translation.PlayAsync(arguments, rig.Plain, translating);
        foreach (var figure in Costs("translation", translation, rig.Plain, translating, bound: 1.5))
        {
            yield return figure;
        }

        await NoteAsync("gateway: 300 per second");
        var open = new Measurement(Chat, 1024, streams: false, rate: 300);
        await open.PlayAsync(arguments, rig.Direct, rig.Plain, stoa);
        yield return open.Added("gateway.300_per_second.plain_added_p50", rig.Direct, rig.Plain, result => result.P50);
        yield return open.Added("gateway.300_per_second.added_p50", rig.Direct, stoa, result => result.P50, bound: 0.5);
        yield return open.Added("gateway.300_per_second.added_p99", rig.Direct, stoa, result => result.P99);
        yield return new("gateway.300_per_second.plain_cpu", open.Median(rig.Plain, result => result.TreeCpu), "us/request");
        yield return new("gateway.300_per_second.cpu", open.Median(stoa, result => result.TreeCpu), "us/request");

        await NoteAsync("gateway: paced streams");
        var paced = new Measurement(Chat, 1024, streams: true, rate: 50, model: "paced");
        await paced.PlayAsync(arguments, rig.Direct, rig.Plain, stoa);
        yield return paced.Added("gateway.first_event.plain_added_p50", rig.Direct, rig.Plain, result => result.FirstP50);
        yield return paced.Added("gateway.first_event.added_p50", rig.Direct, stoa, result => result.FirstP50, bound: 0.5);
        // Nagle's algorithm meeting delayed acknowledgement is a step of 40 ms; half of it is far above any honest tail.
        yield return paced.Added("gateway.first_event.added_p99", rig.Direct, stoa, result => result.FirstP99, bound: 20);
        yield return new("gateway.paced.plain_cpu", paced.Median(rig.Plain, result => result.TreeCpu / result.EventsPerAnswer), "us/event");
        yield return new("gateway.paced.cpu", paced.Median(stoa, result => result.TreeCpu / result.EventsPerAnswer), "us/event");

        yield return new("gateway.memory.resident", ProcessStat.ResidentMegabytes(product.ProcessId), "MB", Bound: 250);
        yield return new("gateway.memory.peak", ProcessStat.PeakResidentMegabytes(product.ProcessId), "MB", Bound: 250);
    }

    /// <summary>
    /// Bounded is the process of Stoa; beside it stands the sum with its PostgreSQL, which stores the usage of these very calls.
    /// </summary>
    private static IEnumerable<Figure> Costs(string name, Measurement measured, Target plain, Target stoa, double bound)
    {
        var reference = measured.Median(plain, result => result.TreeCpu);
        var whole = measured.Median(stoa, result => result.TreeCpu);
        var alone = measured.Median(stoa, result => result.Cpu);
        yield return new($"gateway.{name}.plain_cpu", reference, "us/request");
        yield return new($"gateway.{name}.cpu", alone, "us/request");
        yield return new($"gateway.{name}.cpu_ratio", alone / reference, "x plain", bound);
        yield return new($"gateway.{name}.cpu_ratio_with_postgres", whole / reference, "x plain");
        yield return new($"gateway.{name}.plain_rate", measured.Median(plain, result => result.PerSecond), "1/s");
        yield return new($"gateway.{name}.rate", measured.Median(stoa, result => result.PerSecond), "1/s");
    }
}
