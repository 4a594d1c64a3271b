using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Wire;

/// <summary>Parameters of a query, read as leniently as the original reads them. Call <see cref="Check"/> when all are read.</summary>
internal sealed class WireQuery(HttpRequest request)
{
    private const int LongestText = 4_096;

    private readonly WireErrors errors = new();

    public string? Text(string name, int most = LongestText)
    {
        var text = Sent(name);
        if (text?.Contains('\0', StringComparison.Ordinal) == true)
        {
            errors.Add(WirePlace.Query.In(name), "type_error.str", "str type expected");
            return null;
        }
        if (text?.Length > most)
        {
            errors.Add(WirePlace.Query.In(name), "value_error.any_str.max_length", $"ensure this value has at most {most} characters",
                new() { ["limit_value"] = most });
            return null;
        }
        return text;
    }

    public bool Flag(string name, bool otherwise) => OptionalFlag(name) ?? otherwise;

    public bool? OptionalFlag(string name)
    {
        if (Sent(name) is not { } text)
        {
            return null;
        }
        var flag = WireValues.FlagOf(text);
        if (flag is null)
        {
            errors.Add(WirePlace.Query.In(name), "type_error.bool", "value could not be parsed to a boolean");
        }
        return flag;
    }

    public bool RequiredFlag(string name)
    {
        if (Sent(name) is null)
        {
            Missing(name);
        }
        return Flag(name, otherwise: false);
    }

    /// <summary>Within its bounds, which are inclusive.</summary>
    public int Integer(string name, int otherwise, int least = int.MinValue, int most = int.MaxValue) =>
        Sent(name) is { } text ? Within(name, text, least, most) : otherwise;

    public int RequiredInteger(string name, int least = int.MinValue, int most = int.MaxValue)
    {
        if (Sent(name) is { } text)
        {
            return Within(name, text, least, most);
        }
        Missing(name);
        return 0;
    }

    public Guid? Id(string name)
    {
        if (Sent(name) is not { } text)
        {
            return null;
        }
        var id = WireValues.IdOf(text);
        if (id is null)
        {
            errors.Add(WirePlace.Query.In(name), "type_error.uuid", "value is not a valid uuid");
        }
        return id;
    }

    public DateTimeOffset? Instant(string name)
    {
        if (Sent(name) is not { } text)
        {
            return null;
        }
        var instant = WireValues.InstantOf(text);
        if (instant is null)
        {
            errors.Add(WirePlace.Query.In(name), "value_error.datetime", "invalid datetime format");
        }
        return instant;
    }

    /// <exception cref="Failure">Invalid, with all that is wrong.</exception>
    public WireQuery Check()
    {
        errors.ThrowIfAny();
        return this;
    }

    /// <summary>An id in the path.</summary>
    /// <exception cref="Failure">Invalid: it is none.</exception>
    public static Guid PathId(string text, string name) => WireValues.IdOf(text)
        ?? throw WireErrors.Of(WirePlace.Path.In(name), "type_error.uuid", "value is not a valid uuid");

    private int Within(string name, string text, int least, int most)
    {
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture, out var number))
        {
            errors.Add(WirePlace.Query.In(name), "type_error.integer", "value is not a valid integer");
        }
        else if (number < least && least == 1)
        {
            errors.Add(WirePlace.Query.In(name), "value_error.number.not_gt", "ensure this value is greater than 0", new JsonObject { ["limit_value"] = 0 });
        }
        else if (number < least)
        {
            errors.Add(WirePlace.Query.In(name), "value_error.number.not_ge", $"ensure this value is greater than or equal to {least}",
                new JsonObject { ["limit_value"] = least });
        }
        else if (number > most)
        {
            errors.Add(WirePlace.Query.In(name), "value_error.number.not_le", $"ensure this value is less than or equal to {most}",
                new JsonObject { ["limit_value"] = most });
        }
        return number;
    }

    private void Missing(string name) => errors.Add(WirePlace.Query.In(name), "value_error.missing", "field required");

    // The last one counts, as in the original. An empty text is one.
    private string? Sent(string name) => request.Query[name] is { Count: > 0 } sent ? sent[^1] : null;
}
