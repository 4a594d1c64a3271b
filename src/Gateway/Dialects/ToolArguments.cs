using System.Text;
using System.Text.Json;

namespace Stoa.Gateway.Dialects;

/// <summary>Arguments of a call: text on OpenAI's dialect, an object on others.</summary>
internal static class ToolArguments
{
    /// <summary>
    /// Writes an object whatever the model wrote: nothing is <c>{}</c>, broken JSON goes under <c>_raw</c>, a bare value under
    /// <c>value</c>.
    /// </summary>
    public static void WriteObject(Utf8JsonWriter json, string arguments)
    {
        if (string.IsNullOrWhiteSpace(arguments))
        {
            json.WriteStartObject();
            json.WriteEndObject();
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(arguments);
        switch (JsonBody.KindOf(bytes))
        {
            case JsonValueKind.Object:
                json.WriteRawValue(bytes, skipInputValidation: true);
                break;
            case JsonValueKind.Undefined:
                json.WriteStartObject();
                json.WriteString("_raw", arguments);
                json.WriteEndObject();
                break;
            default:
                json.WriteStartObject();
                json.WritePropertyName("value");
                json.WriteRawValue(bytes, skipInputValidation: true);
                json.WriteEndObject();
                break;
        }
    }
}
