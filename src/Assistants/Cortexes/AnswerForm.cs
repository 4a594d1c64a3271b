using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Stoa.Gateway;

namespace Stoa.Assistants.Cortexes;

/// <summary>What a model shall answer, and how that is read.</summary>
/// <param name="Read">Throws <see cref="UnusableAnswerException"/> where the answer has another form.</param>
/// <param name="Schema">For models that can be held to one.</param>
internal sealed record AnswerForm<T>(Func<string, T> Read, ModelSchema? Schema = null);

/// <param name="problem">As the model is told: <c>todos must be an array</c>. Names nothing of the user's.</param>
internal sealed class UnusableAnswerException(string problem) : Exception(problem);

internal static class AnswerForms
{
    // Strict schemas of vendors have no member that may be left out, and none besides.
    private static readonly JsonSchemaExporterOptions Strict =
        new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe };

    /// <summary>A JSON object; the record is the schema, its <c>[Description]</c>s tell the model what belongs into a member.</summary>
    /// <param name="json">
    /// Of a context with <c>RespectNullableAnnotations</c> and <c>RespectRequiredConstructorParameters</c>, so that what is missing or of
    /// another type is found out.
    /// </param>
    public static AnswerForm<T> Json<T>(string name, JsonTypeInfo<T> json)
        where T : class
    {
        var schema = JsonSerializer.SerializeToElement(json.GetJsonSchemaAsNode(Strict), AssistantsJson.Default.JsonNode);
        return new(text => ReadJson(text, json), new(name, schema));
    }

    /// <summary>
    /// The same, of texts that must not be empty, and as models that know no schema rather write it: <c>&lt;title&gt;…&lt;/title&gt;</c>,
    /// the first of each.
    /// </summary>
    /// <param name="tags">The members' names on the wire, in the order in which <paramref name="make"/> takes them.</param>
    public static AnswerForm<T> JsonOrTags<T>(
        string name, JsonTypeInfo<T> json, Func<string[], T> make, Func<T, string[]> texts, params string[] tags)
        where T : class
    {
        var form = Json(name, json);
        return form with { Read = ReadEither };

        T ReadEither(string text)
        {
            if (text.Contains($"<{tags[0]}>", StringComparison.Ordinal))
            {
                return make(Array.ConvertAll(tags, tag => ReadTag(text, tag)));
            }
            var read = form.Read(text);
            return Array.Exists(texts(read), string.IsNullOrWhiteSpace) ? throw new UnusableAnswerException("a member is empty") : read;
        }
    }

    /// <summary><c>&lt;title&gt;…&lt;/title&gt;</c>, for long free texts: the first of each, none empty.</summary>
    public static AnswerForm<string[]> Tags(params string[] names) => new(text => Array.ConvertAll(names, name => ReadTag(text, name)));

    private static T ReadJson<T>(string text, JsonTypeInfo<T> json)
        where T : class
    {
        // No column holds it.
        if (text.Contains("\\u0000", StringComparison.Ordinal) || text.Contains('\0', StringComparison.Ordinal))
        {
            throw new UnusableAnswerException("it holds the character NUL");
        }
        try
        {
            return JsonSerializer.Deserialize(Unfenced(text), json) ?? throw new UnusableAnswerException("it is null");
        }
        catch (JsonException wrong)
        {
            // The sentences of the serializer name our types.
            throw new UnusableAnswerException(wrong.InnerException is JsonException || wrong.Path is null
                ? "it is not valid JSON"
                : $"at {wrong.Path} a member is missing or has the wrong type");
        }
    }

    private static string ReadTag(string text, string name)
    {
        var start = text.IndexOf($"<{name}>", StringComparison.Ordinal);
        var end = start < 0 ? -1 : text.IndexOf($"</{name}>", start, StringComparison.Ordinal);
        var inside = end < 0 ? "" : text[(start + name.Length + 2)..end].Replace("\0", "", StringComparison.Ordinal).Trim();
        return inside.Length > 0 ? inside : throw new UnusableAnswerException($"there is nothing between <{name}> and </{name}>");
    }

    /// <summary>Without the marks that models put around code.</summary>
    private static string Unfenced(string text)
    {
        const string fence = "```";
        var start = text.IndexOf(fence, StringComparison.Ordinal);
        var end = text.LastIndexOf(fence, StringComparison.Ordinal);
        if (start < 0 || end <= start)
        {
            return text;
        }
        var line = text.IndexOf('\n', start);
        return line < 0 || line > end ? text[(start + fence.Length)..end] : text[(line + 1)..end];
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema)
        {
            return node;
        }
        if (schema["properties"] is JsonObject properties)
        {
            schema["required"] = new JsonArray([.. properties.Select(property => (JsonNode)property.Key)]);
            schema["additionalProperties"] = false;
        }
        if (context.PropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false)
            is [DescriptionAttribute told, ..])
        {
            schema["description"] = told.Description;
        }
        return schema;
    }
}
