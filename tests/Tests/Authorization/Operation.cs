using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Authorization;

/// <summary>One operation of an API document, and what the document says of access to it.</summary>
/// <param name="Rule"><c>x-stoa-rule</c>; null when the operation says nothing.</param>
internal sealed record Operation(string Surface, string Method, string Path, string? Rule, IReadOnlyList<string> Schemes)
{
    private static readonly string[] Surfaces = ["gateway", "feedback", "learning", "assistants", "stoa"];

    public string Name => $"{Method} {Path}";

    public bool ChangesNothing => Method is "GET" or "HEAD";

    public static async Task<IReadOnlyList<Operation>> ReadAllAsync(HostUnderTest host, CancellationToken ct)
    {
        List<Operation> operations = [];
        foreach (var surface in Surfaces)
        {
            var document = JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/openapi/{surface}.json", UriKind.Relative), ct))!;
            operations.AddRange(
                from path in document["paths"]?.AsObject() ?? []
                from operation in path.Value!.AsObject()
                let security = operation.Value!["security"]?.AsArray() ?? []
                select new Operation(
                    surface,
                    operation.Key.ToUpperInvariant(),
                    path.Key,
                    (string?)operation.Value["x-stoa-rule"],
                    [.. security.SelectMany(way => way!.AsObject()).Select(scheme => scheme.Key)]));
        }
        return operations;
    }

    /// <summary>The path with its parameters filled in, in their order.</summary>
    public string PathOf(IReadOnlyList<string> values)
    {
        var parts = Path.Split('/');
        var next = 0;
        for (var index = 0; index < parts.Length; index++)
        {
            var open = parts[index].IndexOf('{', StringComparison.Ordinal);
            if (open >= 0)
            {
                var close = parts[index].IndexOf('}', StringComparison.Ordinal);
                parts[index] = $"{parts[index][..open]}{Uri.EscapeDataString(values[next++])}{parts[index][(close + 1)..]}";
            }
        }
        return string.Join('/', parts);
    }

    /// <summary>The path up to its last parameter: where the object itself can be read, if anywhere.</summary>
    public string ObjectPath => Path[..(Path.LastIndexOf('}') + 1)];
}
