using System.Text.Json.Nodes;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Prompts;

namespace Stoa.Gateway.RunTools;

/// <param name="Path">Where among the arguments; dots lead into objects.</param>
internal sealed record InjectedArgument(string Path, JsonNode Value);

/// <summary>Arguments that come from the caller's variables (<c>variables_path</c>), never from the model.</summary>
internal static class ArgumentInjection
{
    /// <summary>Steps of a path; a longer one is passed over, since what it would make can hardly be written.</summary>
    private const int MaxDepth = 16;

    /// <summary>Those of a tool's paths whose variable has a value.</summary>
    /// <param name="paths"><c>{argument path: variable path}</c>.</param>
    public static List<InjectedArgument> Find(JsonObject? paths, Variables variables) =>
        [.. (paths ?? []).Select(path => (path.Key, Value: path.Value.AsText() is { Length: > 0 } name ? variables.At(name) : null))
            .Where(found => found.Value is not null && found.Key.AsSpan().Count('.') < MaxDepth)
            .Select(found => new InjectedArgument(found.Key, found.Value!))];

    /// <summary>Takes the arguments out of the schema that the model sees.</summary>
    public static void Hide(JsonObject schema, IEnumerable<InjectedArgument> injected)
    {
        foreach (var argument in injected)
        {
            Hide(schema, argument.Path.Split('.'));
        }
    }

    /// <summary>Puts the values over what the model wrote.</summary>
    public static void Apply(JsonObject arguments, IEnumerable<InjectedArgument> injected)
    {
        foreach (var argument in injected)
        {
            var steps = argument.Path.Split('.');
            var holder = arguments;
            foreach (var step in steps[..^1])
            {
                if (holder[step] is not JsonObject inner)
                {
                    holder[step] = inner = [];
                }
                holder = inner;
            }
            holder[steps[^1]] = argument.Value.DeepClone();
        }
    }

    private static void Hide(JsonObject schema, ReadOnlySpan<string> steps)
    {
        if (steps.Length > 1)
        {
            if (schema.Object("properties").Object(steps[0]) is { } inner)
            {
                Hide(inner, steps[1..]);
            }
            return;
        }
        schema.Object("properties")?.Remove(steps[0]);
        if (schema.List("required") is { } required)
        {
            var hidden = steps[0];
            required.RemoveAll(name => name.AsText() == hidden);
        }
    }
}
