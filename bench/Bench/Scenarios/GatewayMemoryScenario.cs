using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>A million calls through one host: its memory must stay where it settled.</summary>
internal sealed class GatewayMemoryScenario : Scenario
{
    private const int Calls = 1_000_000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    internal override string Name => "gateway-memory";

    internal override string Purpose => "resident memory of the host over a million calls";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        await using var rig = await Rig.StartAsync();
        await using var product = await Product.StartAsync(rig.Direct.BaseUrl);
        var stoa = product.As("stoa", await product.CreateKeyAsync(), "openai");
        var calls = arguments.Number("calls", arguments.Flag("quick") ? 20_000 : Calls);
        var load = Rig.PlayAsync(new(new(stoa.BaseUrl, "/v1/chat/completions"), stoa.Key, "openai/bench", 1024, Streams: false)
        {
            Most = calls,
            Seconds = 3600,
            WarmSeconds = 5,
            Processes = stoa.Processes,
        });
        var samples = new List<double>();
        while (!load.IsCompleted)
        {
            samples.Add(ProcessStat.ResidentMegabytes(product.ProcessId));
            await NoteAsync($"gateway-memory: {samples[^1]:F1} MB");
            await Task.WhenAny(load, Task.Delay(Pause, TimeProvider.System));
        }
        var result = await load;
        var fifth = samples.Count / 5;
        var early = samples.Skip(fifth).Take(fifth).Median();
        var late = samples.TakeLast(fifth).Median();
        yield return new("gateway_memory.calls", result.Answers, "1");
        yield return new("gateway_memory.cpu", result.TreeCpu, "us/request");
        yield return new("gateway_memory.early", early, "MB");
        yield return new("gateway_memory.late", late, "MB");
        yield return new("gateway_memory.growth", late - early, "MB", Bound: 10);
        yield return new("gateway_memory.peak", ProcessStat.PeakResidentMegabytes(product.ProcessId), "MB", Bound: 250);
    }
}
