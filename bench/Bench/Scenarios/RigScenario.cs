namespace Stoa.Bench.Scenarios;

/// <summary>The rig alone: what upstream and generator carry, and what the plain proxy costs. No product in it.</summary>
internal sealed class RigScenario : Scenario
{
    internal override string Name => "rig";

    internal override string Purpose => "the rig itself: upstream directly and through the plain proxy";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        await using var rig = await Rig.StartAsync();
        (string Name, Measurement Case)[] cases =
        [
            ("1k", new("/v1/chat/completions", 1024, streams: false)),
            ("20k", new("/v1/chat/completions", 20 * 1024, streams: false)),
            ("stream", new("/v1/chat/completions", 1024, streams: true)),
            ("anthropic_stream", new("/v1/messages", 1024, streams: true)),
            ("300_per_second", new("/v1/chat/completions", 1024, streams: false, rate: 300)),
            ("paced", new("/v1/chat/completions", 1024, streams: true, rate: 50, model: "paced")),
        ];
        foreach (var (name, measured) in cases)
        {
            await NoteAsync($"rig: {name}");
            await measured.PlayAsync(arguments, rig.Direct, rig.Plain);
            foreach (var target in (Target[])[rig.Direct, rig.Plain])
            {
                yield return new($"rig.{name}.{target.Name}.cpu", measured.Median(target, result => result.Cpu), "us/request");
                yield return new($"rig.{name}.{target.Name}.rate", measured.Median(target, result => result.PerSecond), "1/s");
                yield return new($"rig.{name}.{target.Name}.p50", measured.Median(target, result => result.P50), "us");
                yield return new($"rig.{name}.{target.Name}.p99", measured.Median(target, result => result.P99), "us");
                yield return new($"rig.{name}.{target.Name}.first_p50", measured.Median(target, result => result.FirstP50), "us");
                yield return new(
                    $"rig.{name}.{target.Name}.events", measured.Median(target, result => result.EventsPerAnswer), "1/request");
            }
        }
    }
}
