using Stoa.Gateway.Chat;

namespace Stoa.Gateway.RunTools;

/// <summary>What the model of a run may call, by name.</summary>
internal sealed class ToolSet : IAsyncDisposable
{
    public static readonly ToolSet Empty = new([]);

    private readonly Dictionary<string, RunTool> byName = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<IAsyncDisposable> connections;

    /// <param name="tools">Of two with one name the first is kept: names are made unique before.</param>
    /// <param name="connections">Closed with the set.</param>
    public ToolSet(IEnumerable<RunTool> tools, IReadOnlyList<IAsyncDisposable>? connections = null)
    {
        this.connections = connections ?? [];
        foreach (var tool in tools)
        {
            byName.TryAdd(tool.Name, tool);
        }
        Definitions = [.. byName.Values.Select(tool => tool.Definition)];
    }

    public IReadOnlyList<Tool> Definitions { get; }

    public RunTool? Find(string name) => byName.GetValueOrDefault(name);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }
}
