package import Application

/// One page of a list: the items and where the next page starts.
package enum PageResponse {
    package static func write<Item>(
        _ page: Page<Item>,
        to json: inout JSONWriter,
        item write: (Item, inout JSONWriter) -> Void
    ) {
        json.beginObject()
        json.key("items")
        json.beginArray()
        for item in page.items { write(item, &json) }
        json.endArray()
        json.key("next")
        if let next = page.next { json.string(next.description) } else { json.null() }
        json.endObject()
    }
}
