namespace Stoa.Bench.Scenarios;

/// <summary>From the start of the process to ready, with a new cluster and with an old one.</summary>
internal sealed class StartScenario : Scenario
{
    internal override string Name => "start";

    internal override string Purpose => "time to ready: first start (initdb, migrations) and later ones";

    protected override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        await using var product = Product.Prepare(new("http://127.0.0.1:1"));
        var first = await product.StartAsync();
        var later = new List<double>();
        for (var round = 0; round < arguments.Number("rounds", 5); round++)
        {
            await product.StopAsync();
            later.Add((await product.StartAsync()).TotalSeconds);
        }
        yield return new("start.first", first.TotalSeconds, "s", Bound: 15);
        yield return new("start.later_median", later.Median(), "s", Bound: 3);
        yield return new("start.later_slowest", later.Max(), "s");
    }
}
