pub(super) struct Rpm;
impl super::Manager for Rpm {
    fn read(
        &self,
        _: &crate::host::rooted::Rooted,
        _: &super::Aliases,
        _: &mut crate::host::index::FileIndex,
    ) {
    }
}
