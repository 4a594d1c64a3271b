using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Delivery;

internal static class DeliveryText
{
    // For JSON clients, never for a page.
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As it is sent: letters of all scripts stand for themselves.</summary>
    public static string Compact(this JsonObject payload) => payload.ToJsonString(Relaxed);
}
