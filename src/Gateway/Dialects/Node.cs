using System.Text;
using System.Text.Json;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Dialects;

/// <summary>A value of a request together with its place, so that a wrong field is named the way the client wrote it.</summary>
internal sealed class Node(JsonElement element, Node? parent = null, string name = "", int index = -1)
{
    public JsonElement Element => element;

    public string Name => name;

    public bool IsText => element.ValueKind == JsonValueKind.String;

    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    public string Path
    {
        get
        {
            var path = new StringBuilder();
            Append(path);
            return path.ToString();
        }
    }

    /// <summary>The member of that name; null when it is absent or null.</summary>
    public Node? Get(string member)
    {
        if (!IsObject)
        {
            throw WrongType("an object");
        }
        return element.TryGetProperty(member, out var value)
            && value.ValueKind != JsonValueKind.Null ? new Node(value, this, member) : null;
    }

    public Node Need(string member) => Get(member) ?? throw Missing(member);

    public IEnumerable<Node> Members()
    {
        if (!IsObject)
        {
            throw WrongType("an object");
        }
        foreach (var property in element.EnumerateObject())
        {
            yield return new Node(property.Value, this, property.Name);
        }
    }

    /// <summary>The members that are not null: a field that is null counts as absent.</summary>
    public IEnumerable<Node> Given() => Members().Where(member => member.Element.ValueKind != JsonValueKind.Null);

    public List<Node> Items(int atLeast = 0, int atMost = int.MaxValue)
    {
        if (!IsArray)
        {
            throw WrongType("an array");
        }
        var count = element.GetArrayLength();
        if (count < atLeast || count > atMost)
        {
            throw Wrong(count < atLeast ? $"needs at least {atLeast} item(s)" : $"may have at most {atMost} items, not {count}");
        }
        var items = new List<Node>(count);
        foreach (var item in element.EnumerateArray())
        {
            items.Add(new Node(item, this, "", items.Count));
        }
        return items;
    }

    public string Text() => IsText ? element.GetString()! : throw WrongType("a string");

    public string Text(int atMost)
    {
        var text = Text();
        return text.Length <= atMost ? text : throw Wrong($"may have at most {atMost} characters, not {text.Length}");
    }

    public bool Flag() => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw WrongType("a boolean"),
    };

    public double Number(double from, double to)
    {
        if (element.ValueKind != JsonValueKind.Number || !element.TryGetDouble(out var number))
        {
            throw WrongType("a number");
        }
        return number >= from && number <= to ? number : throw Wrong(FormattableString.Invariant($"must be between {from} and {to}"));
    }

    public int Integer(int from, int to = int.MaxValue) => (int)Long(from, to);

    public long Long(long from = long.MinValue, long to = long.MaxValue)
    {
        if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out var number))
        {
            throw WrongType("an integer");
        }
        if (number < from || number > to)
        {
            throw Wrong(to is int.MaxValue or long.MaxValue ? $"must be at least {from}" : $"must be between {from} and {to}");
        }
        return number;
    }

    /// <summary>An object of the client's own making that we pass on: a schema, a tool's input.</summary>
    public JsonElement Object() => IsObject ? element.Clone() : throw WrongType("an object");

    public Failure Missing(string member)
    {
        var place = new Node(default, this, member).Path;
        return Failure.Invalid($"Missing required parameter: '{place}'.", place, "missing_required_parameter");
    }

    public Failure Wrong(string problem, string code = "invalid_value") => Failure.Invalid($"'{Path}' {problem}.", Path, code);

    public Failure WrongType(string wanted) => Path is { Length: > 0 } path
        ? Failure.Invalid($"'{path}' must be {wanted}, not {KindName()}.", path, "invalid_type")
        : Failure.Invalid($"The body must be {wanted}, not {KindName()}.", code: "invalid_type");

    public Failure NotOneOf(string choices) =>
        Wrong(IsText && element.GetString() is { Length: <= 64 } text
            ? $"is '{text}' but must be one of: {choices}" : $"must be one of: {choices}");

    private string KindName() => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number of that range",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };

    private void Append(StringBuilder path)
    {
        parent?.Append(path);
        if (index >= 0)
        {
            path.Append('[').Append(index).Append(']');
        }
        else if (name.Length > 0)
        {
            path.Append(path.Length > 0 ? "." : "").Append(name);
        }
    }
}
