using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Wire;

/// <summary>Parameters of a query, read as leniently as the original reads them.</summary>
internal sealed class WireQuery
{
    private const int LongestText = 4_096;

    private readonly IQueryCollection query;
    private readonly List<OpenApiParameter>? described;
    private readonly WireErrors errors = new();

    private WireQuery(IQueryCollection query, List<OpenApiParameter>? described) => (this.query, this.described) = (query, described);

    /// <exception cref="Failure">Invalid, with all that is wrong.</exception>
    public static T Read<T>(HttpRequest request, Func<WireQuery, T> read)
    {
        var query = new WireQuery(request.Query, described: null);
        var result = read(query);
        query.errors.ThrowIfAny();
        return result;
    }

    /// <summary>What is read, for the document: found out by reading.</summary>
    public static List<OpenApiParameter> Describe<T>(Func<WireQuery, T> read)
    {
        List<OpenApiParameter> described = [];
        read(new(QueryCollection.Empty, described));
        return described;
    }

    public string? Text(string name, int most = LongestText, string? otherwise = null)
    {
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.String, MaxLength = most, Default = otherwise }));
        return Text(Sent(name), name, most) ?? otherwise;
    }

    public string? RequiredText(string name)
    {
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.String, MaxLength = LongestText }, isRequired: true));
        var text = Sent(name);
        if (text is null)
        {
            Missing(name);
        }
        return Text(text, name, LongestText);
    }

    private string? Text(string? text, string name, int most)
    {
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

    public bool Flag(string name, bool otherwise)
    {
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.Boolean, Default = otherwise }));
        return FlagOf(name) ?? otherwise;
    }

    public bool? OptionalFlag(string name)
    {
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.Boolean }));
        return FlagOf(name);
    }

    private bool? FlagOf(string name)
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
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.Boolean }, isRequired: true));
        if (Sent(name) is null)
        {
            Missing(name);
        }
        return FlagOf(name) ?? false;
    }

    /// <summary>Within its bounds, which are inclusive.</summary>
    public int Integer(string name, int otherwise, int least, int most)
    {
        described?.Add(Parameter(name, Bounded(least, most, otherwise)));
        return Sent(name) is { } text ? Within(name, text, least, most) : otherwise;
    }

    public int RequiredInteger(string name, int least, int most)
    {
        described?.Add(Parameter(name, Bounded(least, most, otherwise: null), isRequired: true));
        if (Sent(name) is { } text)
        {
            return Within(name, text, least, most);
        }
        Missing(name);
        return 0;
    }

    public Guid? Id(string name)
    {
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.String, Format = "uuid" }));
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
        described?.Add(Parameter(name, new() { Type = JsonSchemaType.String, Format = "date-time" }));
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
            errors.Add(WirePlace.Query.In(name), "value_error.number.not_gt",
                "ensure this value is greater than 0", new JsonObject { ["limit_value"] = 0 });
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
    private string? Sent(string name) => query[name] is { Count: > 0 } sent ? sent[^1] : null;

    private static OpenApiParameter Parameter(string name, OpenApiSchema schema, bool isRequired = false) =>
        new() { Name = name, In = ParameterLocation.Query, Required = isRequired, Schema = schema };

    private static OpenApiSchema Bounded(int least, int most, int? otherwise) => new()
    {
        Type = JsonSchemaType.Integer,
        Minimum = least.ToString(CultureInfo.InvariantCulture),
        Maximum = most.ToString(CultureInfo.InvariantCulture),
        Default = otherwise,
    };
}
